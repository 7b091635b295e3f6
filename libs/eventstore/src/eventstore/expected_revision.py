"""What a writer believes about a stream when it appends."""

from dataclasses import dataclass
from typing import ClassVar

_NO_STREAM = -1
_ANY = -2
_STREAM_EXISTS = -4
_REVISIONS = 1 << 63


@dataclass(frozen=True, slots=True)
class ExpectedRevision:
    """One of NO_STREAM, STREAM_EXISTS, ANY or `exact(n)`.

    `code` is how the append statement writes it: n itself, or a negative number.
    """

    code: int

    NO_STREAM: ClassVar["ExpectedRevision"]
    STREAM_EXISTS: ClassVar["ExpectedRevision"]
    ANY: ClassVar["ExpectedRevision"]

    @classmethod
    def exact(cls, revision: int) -> "ExpectedRevision":
        if not 0 <= revision < _REVISIONS:
            raise ValueError("a revision is 0 to 2^63-1; for a stream not there yet say NO_STREAM")
        return cls(revision)

    def admits(self, head: int | None) -> bool:
        """Whether a stream whose last revision is `head` (None: no stream) is as expected."""
        if self.code == _ANY:
            return True
        if self.code == _NO_STREAM:
            return head is None
        if self.code == _STREAM_EXISTS:
            return head is not None
        return head == self.code

    def __str__(self) -> str:
        return _NAMES.get(self.code, f"revision {self.code}")


ExpectedRevision.NO_STREAM = ExpectedRevision(_NO_STREAM)
ExpectedRevision.STREAM_EXISTS = ExpectedRevision(_STREAM_EXISTS)
ExpectedRevision.ANY = ExpectedRevision(_ANY)
_NAMES = {_NO_STREAM: "no stream", _ANY: "any", _STREAM_EXISTS: "a stream"}
