"""By which keyed hashes a patient is found."""

from careline.patient_context.events.v1.events_pb2 import Demographics
from sealing.blind_index import BlindIndex
from sealing.normalisation import InvalidBirthDate, InvalidIdentifier, InvalidPhone

RECORD_NUMBER = "MR"
PHONE_SYSTEMS = frozenset({"phone", "sms"})
INDEX_PURPOSE = "blind-index"


def tokens_of(demographics: Demographics, index: BlindIndex) -> frozenset[bytes]:
    """Give the tokens of all names, of phones in use, of record numbers and of the day of birth.

    Record numbers are indexed without their system: who asks for one seldom knows it.
    """
    words = [word for name in demographics.names for word in (name.family_name, *name.given_names)]
    tokens = set(index.name(*words))
    for point in demographics.telecoms:
        if point.system in PHONE_SYSTEMS and point.use != "old":
            tokens |= _phone(point.value, index)
    for identifier in demographics.identifiers:
        if identifier.type == RECORD_NUMBER:
            tokens |= _record_number(identifier.value, index)
    return frozenset(tokens | _birth_date(demographics.birth_date, index))


def _phone(number: str, index: BlindIndex) -> set[bytes]:
    """Give no token for what a source calls a phone and nobody can call."""
    try:
        return {index.phone(number)}
    except InvalidPhone:
        return set()


def _record_number(value: str, index: BlindIndex) -> set[bytes]:
    try:
        return {index.identifier(RECORD_NUMBER, value)}
    except InvalidIdentifier:
        return set()


def _birth_date(written: str, index: BlindIndex) -> set[bytes]:
    """Give a token for a whole day only: a year is no way to find anybody."""
    try:
        whole = index.birth_date(written).whole
    except InvalidBirthDate:
        return set()
    return {whole} if whole is not None else set()
