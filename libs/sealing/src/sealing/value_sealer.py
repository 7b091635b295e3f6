"""Seals single values of read models and outboxes, which stand in columns and not in events."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sealing.framing import framed
from sealing.keyring.data_key import NONCE_BYTES, Erased, NotAuthentic
from sealing.keys import Keys

_KEY_ID_BYTES = 16


class ValueBroken(Exception):
    """The value is not what was sealed for this cell."""

    def __init__(self, cell: "Cell") -> None:
        super().__init__(
            f"{cell.column} of {cell.table}, row {cell.row}, does not open: it was altered or "
            "moved; rebuild the read model and treat this as an incident"
        )
        self.cell = cell


@dataclass(frozen=True, slots=True)
class Cell:
    """Where a value stands: its table with schema, its row's key, its column. A value that was
    sealed for one cell opens in no other.
    """

    table: str
    row: str
    column: str


class ValueSealer:
    """Turns bytes into sealed bytes (key id, nonce, ciphertext) and back."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def seal(self, value: bytes, *, tenant: str, subject: str, cell: Cell) -> bytes:
        """Seal a value, 44 bytes longer then. Raises SubjectErased."""
        key = await self._keys.data_key(tenant, subject)
        nonce, ciphertext = key.encrypt(value, _context(tenant, cell))
        return key.id.bytes + nonce + ciphertext

    async def open(self, sealed: bytes, *, tenant: str, cell: Cell) -> bytes | Erased:
        """Return the value, or that its subject was erased. Raises ValueBroken, UnknownKey."""
        (value,) = await self.open_many([(sealed, cell)], tenant=tenant)
        return value

    async def open_many(
        self, cells: Sequence[tuple[bytes, Cell]], *, tenant: str
    ) -> list[bytes | Erased]:
        """Open many, in order, by at most one keyring query."""
        ids = [_key_id(sealed, cell) for sealed, cell in cells]
        keys = await self._keys.keys_by_id(tenant, set(ids))
        values: list[bytes | Erased] = []
        for (sealed, cell), key_id in zip(cells, ids, strict=True):
            key = keys[key_id]
            if isinstance(key, Erased):
                values.append(key)
                continue
            body = sealed[_KEY_ID_BYTES:]
            try:
                values.append(
                    key.decrypt(body[:NONCE_BYTES], body[NONCE_BYTES:], _context(tenant, cell))
                )
            except NotAuthentic:
                raise ValueBroken(cell) from None
        return values


def _key_id(sealed: bytes, cell: Cell) -> UUID:
    if len(sealed) < _KEY_ID_BYTES:
        raise ValueBroken(cell)
    return UUID(bytes=sealed[:_KEY_ID_BYTES])


def _context(tenant: str, cell: Cell) -> bytes:
    return framed("careline.sealing.value", tenant, cell.table, cell.row, cell.column)
