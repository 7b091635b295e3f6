"""What an error of the server or the driver says about the statement that met it."""

import asyncpg

from eventstore.errors import LogUnavailable

SERVER_ERRORS = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    # Not an InterfaceError: asyncpg's state machine after a terminated backend.
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)

_CONNECTION_LOST = ("08", "57P")
_MAY_PASS = frozenset(
    {
        "40P01",  # deadlock
        "55P03",  # lock_timeout
        "40001",  # serialization failure
        "57014",  # cancelled
    }
)


def nothing_happened(error: BaseException) -> bool:
    """Say whether the server surely took nothing: it answered, and its answer was an error.

    After anything else the statement may have been committed.
    """
    return isinstance(error, asyncpg.PostgresError) and not sqlstate(error).startswith(
        _CONNECTION_LOST
    )


def may_pass(error: BaseException) -> bool:
    """Say whether the same statement may well succeed a moment later."""
    return sqlstate(error) in _MAY_PASS


def sqlstate(error: BaseException) -> str:
    return getattr(error, "sqlstate", None) or ""


def refused(error: BaseException) -> LogUnavailable:
    """Make the error for when trying again is no use; the server's own text may hold values."""
    return LogUnavailable(f"the log's server refused with SQLSTATE {sqlstate(error)}")
