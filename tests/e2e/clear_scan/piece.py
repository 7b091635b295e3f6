"""What a scan looks through, piece by piece."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """Some content; `store` says whose it is, `place` where in it."""

    store: str
    place: str
    content: bytes
