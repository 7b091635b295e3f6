"""One JSON object of a resource, read field by field; what is wrong is named by its path."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Final, TypeVar

from patient_context.adapters.fhir import primitives
from patient_context.adapters.fhir.not_fhir import NotFhir

MOST_REPEATS: Final = 200
_T = TypeVar("_T")


class Element:
    """An object at a path. A field that is absent reads as empty, or None where that says more."""

    __slots__ = ("_fields", "path")

    def __init__(self, path: str, value: object) -> None:
        if not isinstance(value, dict):
            raise NotFhir(path, "not an object")
        self.path = path
        self._fields: Mapping[str, object] = value

    def has(self, name: str) -> bool:
        return name in self._fields

    def text(self, name: str) -> str:
        return self._one(name, primitives.text, "")

    def uri(self, name: str) -> str:
        return self._one(name, primitives.uri, "")

    def id(self) -> str:
        return self._one("id", primitives.resource_id, "")

    def code(self, name: str, among: Collection[str] | None = None) -> str:
        """Read a code, if bound, one of those that its binding requires."""
        found = self._one(name, primitives.code, "")
        if found and among is not None and found not in among:
            raise NotFhir(self.at(name), "not one of the codes of this field")
        return found

    def required_code(self, name: str, among: Collection[str]) -> str:
        return self.code(name, among) or self.missing(name)

    def flag(self, name: str) -> bool | None:
        return self._one(name, primitives.boolean, None)

    def date(self, name: str) -> str:
        return self._one(name, primitives.fhir_date, "")

    def date_time(self, name: str) -> str:
        return self._one(name, primitives.date_time, "")

    def instant(self, name: str) -> str:
        return self._one(name, primitives.instant, "")

    def element(self, name: str) -> "Element | None":
        return Element(self.at(name), self._fields[name]) if self.has(name) else None

    def elements(self, name: str) -> list["Element"]:
        return [Element(path, value) for path, value in self._each(name)]

    def texts(self, name: str) -> list[str]:
        """Read repeated strings; null stands where only an extension says something."""
        return [
            _read(path, primitives.text, value)
            for path, value in self._each(name)
            if value is not None
        ]

    def at(self, name: str) -> str:
        return f"{self.path}.{name}"

    def missing(self, name: str) -> str:
        raise NotFhir(self.at(name), "missing")

    def _one(self, name: str, read: Callable[[object], _T], absent: _T) -> _T:
        return _read(self.at(name), read, self._fields[name]) if self.has(name) else absent

    def _each(self, name: str) -> Iterator[tuple[str, object]]:
        values = self._fields.get(name, [])
        if not isinstance(values, list):
            raise NotFhir(self.at(name), "not a list")
        if len(values) > MOST_REPEATS:
            raise NotFhir(self.at(name), f"more than {MOST_REPEATS} of them")
        return ((f"{self.at(name)}[{place}]", value) for place, value in enumerate(values))


def _read(path: str, read: Callable[[object], _T], value: object) -> _T:
    try:
        return read(value)
    except ValueError as error:
        raise NotFhir(path, str(error)) from None
