"""Rows of the outbox with what is sealed in them opened: two builds of it can be compared."""

from collections.abc import Sequence
from typing import Protocol

from eventstore.projection import Row
from sealing.value_sealer import Cell, ValueSealer

from conversations.adapters.cells import address_cell, text_cell
from conversations.adapters.tables import channel_address


class Erasures(Protocol):
    """Knows who was erased: the keyring."""

    async def is_erased(self, tenant: str, subject: str) -> bool: ...


async def opened_rows(
    values: ValueSealer, erasures: Erasures, table: str, rows: Sequence[Row]
) -> Sequence[Row]:
    """Open each row; those of erased conversations are left out, be there a text in them or not.

    Raises ValueBroken for what was altered.
    """
    erased: dict[tuple[str, str], bool] = {}
    opened: list[Row] = []
    for row in rows:
        conversation = (row["tenant"], row["conversation"])
        if conversation not in erased:
            erased[conversation] = await erasures.is_erased(*conversation)
        if erased[conversation]:
            continue
        column, cell = _sealed(table, row)
        sealed = row[column]
        if sealed is not None:
            sealed = await values.open(sealed, tenant=row["tenant"], cell=cell)
        opened.append({**row, column: sealed})
    return opened


def _sealed(table: str, row: Row) -> tuple[str, Cell]:
    if table == channel_address.name:
        return "sealed_address", address_cell(row["conversation"], row["channel"])
    return "sealed_text", text_cell(row["delivery"])
