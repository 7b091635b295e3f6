"""Sealing single values of read models."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sealing.keyring import Erased, UnknownKey
from sealing.value_sealer import Cell, ValueBroken, ValueSealer
from unit.sealing.keys_in_memory import KeysInMemory

CELL = Cell("identity.known_patient", "patients/1", "names")


@given(st.binary(max_size=200))
async def test_any_value_opens_as_it_was(value: bytes) -> None:
    sealer = ValueSealer(KeysInMemory())

    sealed = await sealer.seal(value, tenant="demo", subject="patients/1", cell=CELL)

    assert len(sealed) == len(value) + 44
    assert await sealer.open(sealed, tenant="demo", cell=CELL) == value


@pytest.mark.parametrize(
    "elsewhere",
    [
        replace(CELL, table="conversations.outbox"),
        replace(CELL, row="patients/2"),
        replace(CELL, column="phones"),
    ],
    ids=["table", "row", "column"],
)
async def test_a_moved_value_does_not_open(elsewhere: Cell) -> None:
    sealer = ValueSealer(KeysInMemory())
    sealed = await sealer.seal(b"Ada Byron", tenant="demo", subject="patients/1", cell=CELL)

    with pytest.raises(ValueBroken):
        await sealer.open(sealed, tenant="demo", cell=elsewhere)


async def test_an_altered_value_does_not_open() -> None:
    sealer = ValueSealer(KeysInMemory())
    sealed = await sealer.seal(b"Ada Byron", tenant="demo", subject="patients/1", cell=CELL)

    for index in range(len(sealed)):
        altered = bytearray(sealed)
        altered[index] ^= 1
        with pytest.raises(UnknownKey if index < 16 else ValueBroken):
            await sealer.open(bytes(altered), tenant="demo", cell=CELL)
    for length in range(len(sealed)):
        with pytest.raises(ValueBroken):
            await sealer.open(sealed[:length], tenant="demo", cell=CELL)


async def test_many_values_cost_one_query_and_an_erased_one_is_told_apart() -> None:
    keys = KeysInMemory()
    sealer = ValueSealer(keys)
    cells = []
    for number in range(10):
        cell = replace(CELL, row=f"patients/{number}")
        value = b"" if number == 0 else f"name {number}".encode()
        cells.append((await sealer.seal(value, tenant="demo", subject=cell.row, cell=cell), cell))
    keys.erase("demo", "patients/3")

    values = await sealer.open_many(cells, tenant="demo")

    assert values[0] == b""
    assert values[4] == b"name 4"
    assert isinstance(values[3], Erased)
    assert values[3].subject == "patients/3"
    assert len(keys.queries) == 1
