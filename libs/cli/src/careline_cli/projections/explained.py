"""Turns what ends work on read models, and an operator can act on, into one line."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from eventstore.errors import EventLogError
from eventstore.postgres.server_errors import SERVER_ERRORS
from runtime.database.errors import DatabaseUnavailable
from runtime.vault.errors import VaultUnavailable
from sealing.keyring import KeyringError
from sealing.sealer import SealBroken
from sealing.value_sealer import ValueBroken
from sqlalchemy.exc import SQLAlchemyError

from careline_cli.command_error import CommandError

_NOT_MIGRATED: Final = ("42P01", "3F000", "42704")
"""No such table, schema, or role."""
_OURS: Final = (
    CommandError,
    EventLogError,
    VaultUnavailable,
    DatabaseUnavailable,
    KeyringError,
    SealBroken,
    ValueBroken,
)
"""Their own texts say what to do; others' may hold values."""


class ProjectionsRefused(CommandError):
    """A read model was not rebuilt, switched or dropped; the text says why."""


@contextmanager
def explained() -> Iterator[None]:
    """Raise ProjectionsRefused for such errors, be they of the block or of work beside it."""
    try:
        yield
    except Exception as error:
        if (line := _line_of(error)) is None:
            raise
        raise ProjectionsRefused(line) from None


def _line_of(error: Exception) -> str | None:
    if isinstance(error, ExceptionGroup):
        lines = [_line_of(one) for one in error.exceptions]
        return None if None in lines else "; ".join(line for line in lines if line)
    if isinstance(error, _OURS):
        return str(error)
    if not isinstance(error, (SQLAlchemyError, *SERVER_ERRORS)):
        return None
    if getattr(getattr(error, "orig", None), "sqlstate", None) in _NOT_MIGRATED:
        return "the database has no builds of read models yet; run careline migrate first"
    return f"PostgreSQL refused or is away ({type(error).__name__}); see: careline status"
