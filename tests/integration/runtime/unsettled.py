"""Retractions that can not be settled for a while: what hooks did is rolled back."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from integration.runtime.rig import eventually
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

_TRIES = 2


@asynccontextmanager
async def unsettled(admin: AsyncEngine, schema: str) -> AsyncIterator[None]:
    """Fail at the end of each try; at least two have failed when the block is left."""
    # A sequence counts on when the transaction is rolled back.
    body = f"begin perform nextval('{schema}.failed_try'); raise exception 'held'; end"
    hold = (
        f"create sequence {schema}.failed_try",
        (
            f"create function {schema}.hold() returns trigger language plpgsql security definer"
            f" as $$ {body} $$"
        ),
        (
            f"create trigger hold before update on {schema}.retraction for each row"
            f" when (new.settled_at is not null) execute function {schema}.hold()"
        ),
    )
    release = (
        f"drop trigger hold on {schema}.retraction",
        f"drop function {schema}.hold",
        f"drop sequence {schema}.failed_try",
    )
    await _execute(admin, hold)
    try:
        yield

        async def failed_often() -> bool:
            query = text(f"select is_called and last_value >= :tries from {schema}.failed_try")  # noqa: S608 - the schema is the test's
            async with admin.connect() as connection:
                return bool(await connection.scalar(query, {"tries": _TRIES}))

        await eventually(failed_often, within=60)
    finally:
        await _execute(admin, release)


async def _execute(admin: AsyncEngine, statements: tuple[str, ...]) -> None:
    async with admin.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))
