"""A log's epoch, which counts its restores."""

from sqlalchemy.ext.asyncio import AsyncConnection

from eventstore.postgres.statements import load_statements


async def raise_epoch(
    connection: AsyncConnection, schema: str, *, used: int = 0, taken: int, head: int = -1
) -> int:
    """Begin an epoch beyond the log's own and any that was `used` elsewhere, and return it.

    No position up to `taken` is given out again. Projections up to `head` go along into it.
    """
    statement = load_statements(schema)["raise_epoch"]
    found = await connection.exec_driver_sql(statement, (used, taken, head))
    epoch: int = found.one().epoch
    return epoch
