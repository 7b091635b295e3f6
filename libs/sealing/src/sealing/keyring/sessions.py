"""Transactions on the keyring's database, each of one tenant."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from enum import Enum

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from sealing.keyring.errors import KeyringUnavailable
from sealing.keyring.statements import statement

# SQLSTATE classes of a server that is away, ends, or has no room, and of one that only reads.
_AWAY = ("08", "53", "57", "25006")


class Against(Enum):
    """How a transaction keeps apart from erasures of its tenant.

    Making keys and links share a lock that an erasure holds alone, so that none of them can
    commit what the erasure has not seen.
    """

    NOTHING = "enter"
    ERASURES = "enter_shared"
    EVERYTHING = "enter_alone"


class Sessions:
    """Opens transactions that see one tenant's rows. Raises KeyringUnavailable."""

    def __init__(self, engine: AsyncEngine, *, timeout: float) -> None:
        self._engine = engine
        self._timeout = timeout

    @asynccontextmanager
    async def begin(
        self, tenant: str, against: Against = Against.NOTHING
    ) -> AsyncIterator[AsyncConnection]:
        with _away_said_so():
            async with asyncio.timeout(self._timeout), self._engine.begin() as connection:
                await connection.execute(statement(against.value), {"tenant": tenant})
                yield connection


@contextmanager
def _away_said_so() -> Iterator[None]:
    try:
        yield
    except (OSError, TimeoutError, PoolTimeout) as error:
        raise _unavailable() from error
    except asyncpg.PostgresError as error:
        if not _is_away(error.sqlstate):
            raise
        raise _unavailable() from error
    except DBAPIError as error:
        if not (error.connection_invalidated or _is_away(getattr(error.orig, "sqlstate", None))):
            raise
        raise _unavailable() from error


def _is_away(sqlstate: str | None) -> bool:
    return sqlstate is not None and sqlstate.startswith(_AWAY)


def _unavailable() -> KeyringUnavailable:
    return KeyringUnavailable("the keyring's database is away: retry with back-off")
