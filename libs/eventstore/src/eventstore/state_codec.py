"""States as JSON: frozen dataclasses of plain values, times, enums and collections of those."""

from types import MappingProxyType
from typing import TypeVar

import msgspec

S = TypeVar("S")


class StateUnreadable(Exception):
    """The bytes are no state of the type."""

    def __init__(self, kind: type[object]) -> None:
        super().__init__(f"the bytes are no {kind.__name__} of this version")


def encode_state(state: object) -> bytes:
    """Write a state, equal states as equal bytes. Raises TypeError for what has no JSON form."""
    return msgspec.json.encode(state, enc_hook=_plain, order="deterministic")


def decode_state(kind: type[S], data: bytes) -> S:
    """Read what was written of a state of this type. Raises StateUnreadable.

    A mapping comes back as a dict, equal to what it was.
    """
    try:
        return msgspec.json.decode(data, type=kind)
    except msgspec.MsgspecError as error:
        raise StateUnreadable(kind) from error


def _plain(value: object) -> object:
    if isinstance(value, MappingProxyType):
        return dict(value)
    raise TypeError(f"a state may not hold a {type(value).__name__}: it could not be kept")
