"""What must lie nowhere in clear: what identifies a patient, and what was said in the contacts."""

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from careline_cli.contact import sms_contact, voice_contact

MRN, SSN = "MR", "SS"

# Said in a conversation that stays open, and waits to be sent out.
WAITING = "Shall we send you directions to the clinic?"
# What the player says besides the constants of its own (careline_cli.contact). The scan of the
# unsealed build fails when one of these is said no more.
SAID = (
    "Hi, when is my next appointment?",
    "I would like to know what to bring, too.",
    "I am in the web chat now. What do I bring?",
    "Please bring your insurance card and a list of what you take.",
    "You have no appointment booked at the moment.",
    "Told when and what to bring.",
    "Patient line, how can we help?",
    "What did my doctor prescribe?",
    sms_contact.GREETING,
    sms_contact.WHO,
    sms_contact.CODE_SENT,
    sms_contact.VERIFIED,
    voice_contact.CALL_BACK,
)


class Category(StrEnum):
    FAMILY_NAME = "family name"
    GIVEN_NAME = "given name"
    FULL_NAME = "full name"
    PHONE = "phone"
    EMAIL = "e-mail"
    STREET = "street"
    MRN = "MRN"
    SSN = "SSN"
    OTHER_IDENTIFIER = "other identifier"
    MESSAGE = "message"
    WAITING_MESSAGE = "message that waits to be sent out"


@dataclass(frozen=True, slots=True)
class Needle:
    """One thing to look for, as text and as what else says the same; any spelling gives it away."""

    category: Category
    text: str
    spellings: tuple[bytes, ...]


def needles_of(patient: Mapping[str, Any], said: Sequence[str] = SAID) -> frozenset[Needle]:
    """Give what to look for of a FHIR R4 Patient, and of the texts of its contacts."""
    needles = {*_names(patient), *_telecoms(patient), *_identifiers(patient)}
    for address in patient["address"]:
        needles |= {_needle(Category.STREET, line) for line in address["line"]}
    needles |= {_needle(Category.MESSAGE, text) for text in said}
    return frozenset(needles | {_needle(Category.WAITING_MESSAGE, WAITING)})


def _names(patient: Mapping[str, Any]) -> Iterator[Needle]:
    for name in patient["name"]:
        given = " ".join(name["given"])
        for category, text in (
            (Category.FAMILY_NAME, name["family"]),
            (Category.GIVEN_NAME, given),
            (Category.FULL_NAME, f"{given} {name['family']}"),
        ):
            yield _needle(category, text, _without_accents(text))


def _telecoms(patient: Mapping[str, Any]) -> Iterator[Needle]:
    for telecom in patient["telecom"]:
        if telecom["system"] == "email":
            yield _needle(Category.EMAIL, telecom["value"])
        else:
            yield _needle(Category.PHONE, telecom["value"], _digits(telecom["value"]))


def _identifiers(patient: Mapping[str, Any]) -> Iterator[Needle]:
    for identifier in patient["identifier"]:
        codes = {one["code"] for one in identifier.get("type", {}).get("coding", [])}
        value = identifier["value"]
        if SSN in codes:
            yield _needle(Category.SSN, value, _digits(value))
        elif MRN in codes:
            number = UUID(value)  # Synthea's record numbers are UUIDs
            yield _needle(Category.MRN, value, number.hex, octets=(number.bytes,))
        elif codes:
            yield _needle(Category.OTHER_IDENTIFIER, value)


def _needle(category: Category, *texts: str, octets: tuple[bytes, ...] = ()) -> Needle:
    spelled = (text.encode() for text in texts)
    return Needle(category, texts[0], (*spelled, *octets))


def _digits(number: str) -> str:
    return "".join(filter(str.isdigit, number))


def _without_accents(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
