"""Reads ndjson as its bytes come in: one resource a line, never a line longer than we take."""

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from patient_context.adapters.fhir.not_fhir import NotFhir
from patient_context.adapters.fhir.strict_json import LARGEST_RESOURCE, decode_whole

Value: TypeAlias = Any
"""A JSON value, or the NotFhir that says why a line is none."""
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class LineReader:
    """`feed` gives the lines that a part completes, each with its number from 1: its value, or why
    it is none. Empty lines are passed over.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._searched = 0
        self._number = 0
        self._is_too_long = False

    def feed(self, part: bytes, *, last: bool) -> Iterator[tuple[int, Value]]:
        """Take a part in, and give the lines that it completes."""
        self._rest += part
        begin = 0
        while (end := self._rest.find(b"\n", max(begin, self._searched))) >= 0:
            yield from self._line(begin, end)
            begin = end + 1
        if last:
            yield from self._line(begin, len(self._rest))
            begin = len(self._rest)
        del self._rest[:begin]
        if len(self._rest) > LARGEST_RESOURCE:
            self._is_too_long = True
            self._rest.clear()
        self._searched = len(self._rest)

    def _line(self, begin: int, end: int) -> Iterator[tuple[int, Value]]:
        self._number += 1
        was_too_long, self._is_too_long = self._is_too_long, False
        if was_too_long or end - begin > LARGEST_RESOURCE:
            yield self._number, NotFhir("", f"longer than {LARGEST_RESOURCE} bytes")
            return
        line = bytes(self._rest[begin:end])
        if self._number == 1:
            line = line.removeprefix(_BYTE_ORDER_MARK)
        if line.strip():
            yield self._number, _value(line)


def _value(line: bytes) -> Value:
    try:
        return decode_whole(line.decode())
    except UnicodeDecodeError:
        return NotFhir("", "not UTF-8")
    except NotFhir as fault:
        return fault
