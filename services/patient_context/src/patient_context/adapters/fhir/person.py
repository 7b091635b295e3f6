"""Names, contact points, addresses and identifiers of a person, as our events have them."""

from datetime import datetime
from typing import Final

from careline.patient_context.events.v1 import events_pb2 as events
from sealing.normalisation import InvalidPhone, normal_phone

from patient_context.adapters.fhir.element import Element
from patient_context.domain.fhir_time import last_moment

_NAME_USES: Final = {"usual", "official", "temp", "nickname", "anonymous", "old", "maiden"}
_POINT_SYSTEMS: Final = {"phone", "fax", "email", "pager", "url", "sms", "other"}
_POINT_USES: Final = {"home", "work", "temp", "old", "mobile"}
_ADDRESS_USES: Final = {"home", "work", "temp", "old", "billing"}
_IDENTIFIER_USES: Final = {"usual", "official", "temp", "secondary", "old"}
_KEPT_SYSTEMS: Final = {"phone", "sms", "email"}
_NAMES_BY_USE: Final = ("usual", "official", "", "nickname", "temp", "anonymous", "maiden", "old")
_IDENTIFIER_TYPES: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
_SSN: Final = "http://hl7.org/fhir/sid/us-ssn"


def names(person: Element, now: datetime) -> list[events.PersonName]:
    """Read the names, the usual one first and those no longer used last."""
    read = [_name(each, now) for each in person.elements("name")]
    told = [name for name in read if name.family_name or name.given_names]
    return sorted(told, key=lambda name: _NAMES_BY_USE.index(name.use))


def telecoms(person: Element, now: datetime) -> list[events.ContactPoint]:
    """Read phones and e-mails; a number whose period is over has the use `old`."""
    points = []
    for each in person.elements("telecom"):
        system = each.code("system", _POINT_SYSTEMS)
        use = each.code("use", _POINT_USES)
        value = each.text("value")
        since, is_over = period(each, now)
        if system in _KEPT_SYSTEMS and value:
            points.append(
                events.ContactPoint(
                    system=system,
                    use="old" if is_over else use,
                    value=value if system == "email" else _as_e164(value),
                    since=since,
                )
            )
    return points


def addresses(person: Element, now: datetime) -> list[events.PostalAddress]:
    """Read where the person lives now, home first."""
    read: list[tuple[bool, events.PostalAddress]] = []
    for each in person.elements("address"):
        use = each.code("use", _ADDRESS_USES)
        _, is_over = period(each, now)
        address = events.PostalAddress(
            lines=each.texts("line"),
            city=each.text("city"),
            state=each.text("state"),
            postal_code=each.text("postalCode"),
        )
        if use != "old" and not is_over and address.ListFields():
            read.append((use not in {"", "home"}, address))
    return [address for _, address in sorted(read, key=lambda one: one[0])]


def identifiers(person: Element, now: datetime) -> list[events.Identifier]:
    """Read identifiers that hold now and have system and value."""
    read = []
    for each in person.elements("identifier"):
        use = each.code("use", _IDENTIFIER_USES)
        system, value = each.uri("system"), each.text("value")
        kind = _identifier_type(each, system)
        _, is_over = period(each, now)
        if system and value and use != "old" and not is_over:
            read.append(events.Identifier(system=system, type=kind, value=value))
    return read


def _name(element: Element, now: datetime) -> events.PersonName:
    use = element.code("use", _NAME_USES)
    family, given = element.text("family"), element.texts("given")
    whole = element.text("text")
    _, is_over = period(element, now)
    if is_over and use not in {"maiden", "old"}:
        use = "old"
    if not family and not given:
        family = whole
    return events.PersonName(use=use, family_name=family, given_names=given)


def period(element: Element, now: datetime) -> tuple[str, bool]:
    """Give when an element began to hold, and whether it no longer does."""
    period = element.element("period")
    if period is None:
        return "", False
    end = period.date_time("end")
    return period.date_time("start"), bool(end) and last_moment(end) < now


def _identifier_type(element: Element, system: str) -> str:
    """Give the v2-0203 code; an SSN is known by its system, too."""
    concept = element.element("type")
    for coding in concept.elements("coding") if concept is not None else ():
        if coding.uri("system") == _IDENTIFIER_TYPES:
            return coding.code("code")
    return "SS" if system == _SSN else ""


def _as_e164(number: str) -> str:
    try:
        return normal_phone(number)
    except InvalidPhone:
        return number
