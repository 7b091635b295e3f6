"""Whether a set of identifiers fits exactly one record, judged as a whole.

    match(identifiers, candidates, policy) -> result

The rule: full name, exact birth date, and one of street line with
ZIP code, a phone on file, a record number. Every part of every candidate is compared whatever
came of the others, so that the work does not tell which part failed.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from identity.domain.identifiers import (
    name_words,
    phone_number,
    record_number,
    street,
    whole_date,
    zip_code,
)

_PARTICLES: Final = frozenset(
    {"al", "bin", "da", "das", "de", "del", "della", "den", "der", "di", "do", "dos", "du", "el"}
    | {"ibn", "la", "las", "le", "los", "ten", "ter", "van", "von", "y", "zu"}
)


@dataclass(frozen=True, slots=True)
class Identifiers:
    """What a caller says; empty where nothing was said. `birth_date` as "1972-03-03"."""

    full_name: str = ""
    birth_date: str = ""
    postal_code: str = ""
    street_line: str = ""
    phone: str = ""
    medical_record_number: str = ""


@dataclass(frozen=True, slots=True)
class PersonName:
    """One name of a record, the maiden name among them."""

    family: str
    given: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Address:
    """One address of a record."""

    lines: tuple[str, ...]
    postal_code: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A record that may be meant. `patient` is its name, which the result gives back."""

    patient: str
    names: tuple[PersonName, ...]
    birth_date: str
    addresses: tuple[Address, ...] = ()
    phones: tuple[str, ...] = ()
    record_numbers: tuple[str, ...] = ()
    deceased: bool = False


@dataclass(frozen=True, slots=True)
class MatchPolicy:
    """`birth_year_tolerance`: by how many years the year may differ; day and month never may."""

    birth_year_tolerance: int = 0


class Reason(StrEnum):
    """Why the result is what it is: for evaluating the rule on made cases, never for an answer, a
    log or an event of a live caller.
    """

    MATCHED = "MATCHED"
    NO_RECORD = "NO_RECORD"
    SEVERAL_RECORDS = "SEVERAL_RECORDS"
    DECEASED = "DECEASED"


@dataclass(frozen=True, slots=True)
class Result:
    """`patient` is who fits, None for nobody who may be verified. `close` are the records that all
    parts but one fit, or that fit without being allowed to: whose limits a failure counts on.
    """

    patient: str | None
    close: tuple[str, ...]
    reason: Reason


def match(identifiers: Identifiers, candidates: Sequence[Candidate], policy: MatchPolicy) -> Result:
    """Judge a set of identifiers against the records that may be meant."""
    said = _Said.of(identifiers)
    fits = [_fit(said, candidate, policy) for candidate in candidates]
    full = [
        candidate for candidate, parts in zip(candidates, fits, strict=True) if parts == _ALL_PARTS
    ]
    near = tuple(
        candidate.patient
        for candidate, parts in zip(candidates, fits, strict=True)
        if parts >= _ALL_PARTS - 1
    )
    if not full:
        return Result(None, near, Reason.NO_RECORD)
    if any(candidate.deceased for candidate in full):
        return Result(None, near, Reason.DECEASED)
    if len(full) > 1:
        return Result(None, near, Reason.SEVERAL_RECORDS)
    return Result(full[0].patient, (), Reason.MATCHED)


_ALL_PARTS: Final = 3


@dataclass(frozen=True, slots=True)
class _Said:
    """The identifiers in the form of comparison."""

    name: tuple[str, ...]
    birth_date: date | None
    zip_code: str | None
    street: str | None
    phone: str | None
    record_number: str | None

    @classmethod
    def of(cls, identifiers: Identifiers) -> "_Said":
        return cls(
            name_words(identifiers.full_name),
            whole_date(identifiers.birth_date),
            zip_code(identifiers.postal_code),
            street(identifiers.street_line),
            phone_number(identifiers.phone),
            record_number(identifiers.medical_record_number),
        )


def _fit(said: _Said, candidate: Candidate, policy: MatchPolicy) -> int:
    """Count how many of the three parts fit: name, birth date, one more."""
    name = _name_fits(said.name, candidate.names)
    born = _birth_date_fits(said.birth_date, whole_date(candidate.birth_date), policy)
    address = _address_fits(said, candidate.addresses)
    phone = said.phone is not None and said.phone in _all(phone_number, candidate.phones)
    number = said.record_number is not None and said.record_number in _all(
        record_number, candidate.record_numbers
    )
    return name + born + (address | phone | number)


def _name_fits(said: Sequence[str], names: Iterable[PersonName]) -> bool:
    """Tell whether every word said is on file, one of them as a given and another as a family name.

    Particles ("de la") alone are no family name, unless it has nothing else.
    """
    given = [word for name in names for each in name.given for word in name_words(each)]
    families = [name_words(name.family) for name in names]
    family = {word for words in families for word in words}
    telling = {
        word
        for words in families
        for word in words
        if word not in _PARTICLES or _PARTICLES.issuperset(words)
    }
    known = set(said) <= family | set(given)
    as_given = {place for place, word in enumerate(said) if word in given}
    as_family = {place for place, word in enumerate(said) if word in telling}
    return known & bool(as_given) & bool(as_family) & (len(as_given | as_family) > 1)


def _birth_date_fits(said: date | None, on_file: date | None, policy: MatchPolicy) -> bool:
    if said is None or on_file is None:
        return False
    same_day = (said.month, said.day) == (on_file.month, on_file.day)
    return same_day & (abs(said.year - on_file.year) <= policy.birth_year_tolerance)


def _address_fits(said: _Said, addresses: Iterable[Address]) -> bool:
    """Compare ZIP code and street line of one address; a ZIP code alone says a whole town."""
    fits = False
    for address in addresses:
        lines = {street(line) for line in (*address.lines, " ".join(address.lines))}
        same_zip = said.zip_code is not None and said.zip_code == zip_code(address.postal_code)
        fits |= same_zip & (said.street is not None and said.street in lines)
    return fits


def _all(normal: Callable[[str], str | None], texts: Iterable[str]) -> set[str | None]:
    return {normal(text) for text in texts}
