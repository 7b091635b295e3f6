"""Reads a Bundle as its text comes in: one entry at a time, never the whole file."""

import codecs
from collections.abc import Generator, Iterator
from json import JSONDecodeError
from typing import Any, Final, TypeVar

from patient_context.adapters.fhir.not_fhir import NotFhir
from patient_context.adapters.fhir.strict_json import LARGEST_RESOURCE, decode_at

_SPACE: Final = " \t\r\n"
_FIELDS: Final = frozenset(
    {"resourceType", "id", "meta", "implicitRules", "language", "identifier", "type", "timestamp"}
    | {"total", "link", "entry", "signature"}
)
_TYPES: Final = ("transaction", "collection")
_T = TypeVar("_T")
# A step gives an entry, or None when it needs more of the text.
_Step = Generator[tuple[int, Any] | None, None, _T]


class BundleReader:
    """`feed` gives entries with their numbers; what `feed` of the last part left unraised is a
    Bundle. Raises NotFhir: a file that is no Bundle to its end is none at all.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")("strict")
        self._text = ""
        self._at = 0
        self._passed = 0
        self._is_whole = False
        self._wanted = 0
        self._steps = self._bundle()

    def feed(self, part: bytes, *, last: bool) -> Iterator[tuple[int, Any]]:
        """Take a part in, and give the entries that it completes."""
        try:
            more = self._decoder.decode(part, final=last)
        except UnicodeDecodeError:
            raise NotFhir("", "not UTF-8") from None
        self._passed += self._at
        self._text = self._text[self._at :] + more
        self._at = 0
        self._is_whole = last
        for step in self._steps:
            if step is None:
                return
            yield step

    def _bundle(self) -> _Step[None]:
        """Go through the outermost object; what stands in other fields than `entry` is passed."""
        yield from self._expect("{")
        known: dict[str, Any] = {}
        is_empty = (yield from self._peek()) == "}"
        while not is_empty:
            name = yield from self._name(known)
            if name == "entry":
                known[name] = None
                yield from self._entries()
            else:
                known[name] = yield from self._value(f"Bundle.{name}")
            if (yield from self._peek()) == "}":
                break
            yield from self._expect(",")
        yield from self._expect("}")
        yield from self._nothing_more()
        _check(known)

    def _entries(self) -> _Step[None]:
        yield from self._expect("[")
        if (yield from self._peek()) == "]":
            raise NotFhir("Bundle.entry", "an empty list")
        number = 0
        while True:
            entry = yield from self._value(f"Bundle.entry[{number}]")
            yield number, entry
            number += 1
            if (yield from self._peek()) == "]":
                break
            yield from self._expect(",")
        yield from self._expect("]")

    def _name(self, known: dict[str, Any]) -> _Step[str]:
        if (yield from self._peek()) != '"':
            raise self._no_json()
        name = yield from self._value("Bundle")
        if str(name).removeprefix("_") not in _FIELDS:
            raise NotFhir("Bundle", "has a field that FHIR R4 does not know here")
        if name in known:
            raise NotFhir("Bundle", "an object that names a field twice")
        yield from self._expect(":")
        return str(name)

    def _value(self, path: str) -> _Step[Any]:
        """Read a value; an incomplete one is tried again when twice as much has come."""
        yield from self._peek()
        while True:
            there = len(self._text) - self._at
            if there >= self._wanted or self._is_whole:
                try:
                    value, end = decode_at(self._text, self._at, path)
                except JSONDecodeError:
                    if self._is_whole:
                        raise self._no_json() from None
                else:
                    if end - self._at > LARGEST_RESOURCE:
                        raise _too_large(path)
                    if end < len(self._text) or self._is_whole:
                        self._at, self._wanted = end, 0
                        return value
                if there > LARGEST_RESOURCE:
                    raise _too_large(path)
                self._wanted = 2 * there
            yield None

    def _peek(self) -> _Step[str]:
        """Give the next character that is no space."""
        while True:
            while self._at < len(self._text):
                if self._text[self._at] not in _SPACE:
                    return self._text[self._at]
                self._at += 1
            if self._is_whole:
                raise NotFhir("", "ends too early")
            yield None

    def _expect(self, character: str) -> _Step[None]:
        if (yield from self._peek()) != character:
            raise self._no_json()
        self._at += 1

    def _nothing_more(self) -> _Step[None]:
        while True:
            if self._text[self._at :].strip(_SPACE):
                raise self._no_json()
            self._at = len(self._text)
            if self._is_whole:
                return
            yield None

    def _no_json(self) -> NotFhir:
        return NotFhir("", f"not JSON from character {self._passed + self._at} on")


def _check(known: dict[str, Any]) -> None:
    if known.get("resourceType") != "Bundle":
        raise NotFhir("resourceType", "not a Bundle")
    if known.get("type") not in _TYPES:
        raise NotFhir("Bundle.type", "not a transaction or collection")


def _too_large(path: str) -> NotFhir:
    return NotFhir(path, f"larger than {LARGEST_RESOURCE} characters")
