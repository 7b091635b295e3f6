"""What a search asks for: by which tokens it is looked up, and whether who is found fits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from careline.patient_context.events.v1.events_pb2 import Demographics
from careline.patient_context.v1.patient_service_pb2 import FindPatientsRequest
from runtime.refusal import FieldsInvalid, FieldViolation
from sealing.blind_index import BlindIndex
from sealing.normalisation import (
    InvalidBirthDate,
    InvalidIdentifier,
    InvalidPhone,
    name_tokens,
    normal_birth_date,
    normal_identifier,
    normal_phone,
)

from patient_context.adapters.read_model.tokens import INDEX_PURPOSE, PHONE_SYSTEMS, RECORD_NUMBER
from patient_context.application.known_patient import KnownPatient

_MOST_WORDS: Final = 16
_FEWEST_WORDS_ALONE: Final = 2
_LONGEST: Final = 200


class IndexKeys(Protocol):
    """Derives keys for a tenant and purpose: sealing's Keyring."""

    async def index_key(self, tenant: str, purpose: str) -> bytes: ...


class Index:
    """Gives a tenant's blind index."""

    def __init__(self, keys: IndexKeys) -> None:
        self._keys = keys

    async def of(self, tenant: str) -> BlindIndex:
        return BlindIndex(await self._keys.index_key(tenant, INDEX_PURPOSE))


@dataclass(frozen=True, slots=True)
class Wanted:
    """Normal values; empty where nothing was asked. All that was asked must fit."""

    phone: str
    record_number: str
    words: frozenset[str]
    birth_date: str

    def is_too_broad(self, *, by_name_alone: bool) -> bool:
        """Tell whether it names too little: a name is to come with a day of birth, unless whoever
        asks may look by name alone, and then by more than one word of it.
        """
        if self.phone or self.record_number or (self.words and self.birth_date):
            return False
        return not (by_name_alone and len(self.words) >= _FEWEST_WORDS_ALONE)

    def tokens(self, index: BlindIndex) -> frozenset[bytes]:
        tokens = set(index.name(*self.words))
        if self.phone:
            tokens.add(index.phone(self.phone))
        if self.record_number:
            tokens.add(index.identifier(RECORD_NUMBER, self.record_number))
        if self.birth_date and (whole := index.birth_date(self.birth_date).whole):
            tokens.add(whole)
        return frozenset(tokens)

    def fits(self, known: KnownPatient) -> bool:
        """Compare with the opened values: tokens are hashes, and rows may be older than they."""
        person = known.demographics
        return (
            (not self.phone or self.phone in _phones(person))
            and (not self.record_number or self.record_number in _record_numbers(person))
            and self.words <= _words(person)
            and (not self.birth_date or self.birth_date == person.birth_date)
        )


def wanted(request: FindPatientsRequest) -> Wanted:
    """Read a search; raises FieldsInvalid that names every malformed field."""
    violations: list[FieldViolation] = []

    def read(field: str, text: str, normal: Callable[[str], str]) -> str:
        try:
            return normal(text[: _LONGEST + 1]) if text else ""
        except (InvalidPhone, InvalidIdentifier, InvalidBirthDate) as error:
            violations.append(FieldViolation(field, str(error)))
            return ""

    words = name_tokens(request.person_name[: _LONGEST + 1])
    too_long = len(request.person_name) > _LONGEST or len(words) > _MOST_WORDS
    if request.person_name and (too_long or not words):
        violations.append(FieldViolation("person_name", "a name, of at most 16 words"))
    asked = Wanted(
        read("phone", request.phone, normal_phone),
        read("medical_record_number", request.medical_record_number, _normal_record_number),
        words,
        read("birth_date", request.birth_date, _whole_day),
    )
    if violations:
        raise FieldsInvalid(*violations)
    return asked


def _normal_record_number(text: str) -> str:
    return normal_identifier(RECORD_NUMBER, text)[1]


def _whole_day(text: str) -> str:
    whole = normal_birth_date(text).whole
    if whole is None:
        raise InvalidBirthDate
    return whole


def _phones(person: Demographics) -> set[str]:
    return {
        number
        for point in person.telecoms
        if point.system in PHONE_SYSTEMS and point.use != "old"
        for number in _normal(normal_phone, InvalidPhone, point.value)
    }


def _record_numbers(person: Demographics) -> set[str]:
    return {
        number
        for one in person.identifiers
        if one.type == RECORD_NUMBER
        for number in _normal(_normal_record_number, InvalidIdentifier, one.value)
    }


def _words(person: Demographics) -> frozenset[str]:
    return name_tokens(
        *(word for name in person.names for word in (name.family_name, *name.given_names))
    )


def _normal(normal: Callable[[str], str], invalid: type[ValueError], text: str) -> tuple[str, ...]:
    """Give the normal form, none of what has none: a source may call anything a phone."""
    try:
        return (normal(text),)
    except invalid:
        return ()
