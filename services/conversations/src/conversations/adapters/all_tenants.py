"""A transaction that sees the rows of all tenants, for work that is nobody's in particular."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

_ENTER: Final = files(__package__).joinpath("sql", "enter_all_tenants.sql")


@asynccontextmanager
async def all_tenants(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    async with engine.begin() as connection:
        await connection.execute(text(_ENTER.read_text(encoding="utf-8")))
        yield connection
