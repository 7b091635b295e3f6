"""FHIR Patient and RelatedPerson."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from careline.patient_context.events.v1 import events_pb2 as events

from patient_context.adapters.fhir import person
from patient_context.adapters.fhir.element import Element
from patient_context.adapters.fhir.not_fhir import NotFhir
from patient_context.application.source_patient import SourceId

_GENDERS: Final = {"male", "female", "other", "unknown"}
_LINKS: Final = {"replaced-by", "replaces", "refer", "seealso"}
_LARGEST: Final = 128 * 1024
_BCP_47 = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,4}", re.ASCII)
_LANGUAGES: Final = "urn:ietf:bcp:47"
_RECORD_NUMBER: Final = "MR"
_ROLES: Final = "http://terminology.hl7.org/CodeSystem/v3-RoleCode"


@dataclass(frozen=True, slots=True)
class PatientRead:
    """A patient as a source has it, and the id that the source knows the resource by."""

    source: SourceId
    resource_id: str
    demographics: events.Demographics
    deceased: bool


@dataclass(frozen=True, slots=True)
class RelatedPersonRead:
    """Somebody who may speak for the patient of the reference."""

    reference: str
    related_person: events.RelatedPerson


def read_patient(resource: Element, now: datetime) -> PatientRead:
    """Read a Patient; raises NotFhir, also for one that was replaced by another."""
    _refuse_replaced(resource)
    demographics = events.Demographics(
        names=person.names(resource, now),
        birth_date=resource.date("birthDate"),
        gender=resource.code("gender", _GENDERS),
        telecoms=person.telecoms(resource, now),
        addresses=person.addresses(resource, now),
        identifiers=person.identifiers(resource, now),
        preferred_language=_language(resource),
    )
    if demographics.ByteSize() > _LARGEST:
        raise NotFhir(resource.path, f"demographics of more than {_LARGEST} bytes")
    source = _source(resource, demographics)
    return PatientRead(source, resource.id(), demographics, _deceased(resource))


def read_related_person(resource: Element, now: datetime) -> RelatedPersonRead | None:
    """Read a RelatedPerson, None when the relation holds no more."""
    patient = resource.element("patient")
    if patient is None:
        raise NotFhir(resource.at("patient"), "missing")
    names = person.names(resource, now)
    read = events.RelatedPerson(
        relationship=_relationship(resource),
        name=names[0] if names else None,
        telecoms=person.telecoms(resource, now),
    )
    _, is_over = person.period(resource, now)
    if resource.flag("active") is False or is_over:
        return None
    return RelatedPersonRead(patient.text("reference"), read)


def _source(resource: Element, demographics: events.Demographics) -> SourceId:
    """Tell who it is whatever file it comes in: by record number, else by id of the resource, else
    by any identifier.
    """
    every = sorted((one.system, one.value, one.type) for one in demographics.identifiers)
    for system, value, kind in every:
        if kind == _RECORD_NUMBER:
            return SourceId(system, value)
    if resource_id := resource.id():
        return SourceId("", resource_id)
    for system, value, _ in every:
        return SourceId(system, value)
    raise NotFhir(resource.at("identifier"), "neither an identifier nor an id")


def _deceased(resource: Element) -> bool:
    if resource.has("deceasedBoolean") and resource.has("deceasedDateTime"):
        raise NotFhir(resource.at("deceased"), "more than one of a choice")
    return bool(resource.flag("deceasedBoolean")) or bool(resource.date_time("deceasedDateTime"))


def _language(resource: Element) -> str:
    """Give the language marked as preferred, else the first."""
    spoken: list[tuple[bool, str]] = []
    for each in resource.elements("communication"):
        language = each.element("language")
        if language is None:
            raise NotFhir(each.at("language"), "missing")
        preferred = each.flag("preferred") is True
        codings = language.elements("coding")
        codes = [
            code
            for one in codings
            if one.uri("system") in {_LANGUAGES, ""}
            if _BCP_47.fullmatch(code := one.code("code"))
        ]
        spoken += [(not preferred, code) for code in codes[:1]]
    return min(spoken, key=lambda one: one[0])[1] if spoken else ""


def _refuse_replaced(resource: Element) -> None:
    for link in resource.elements("link"):
        if link.required_code("type", _LINKS) == "replaced-by":
            raise NotFhir(link.path, "replaced by another record: send that one")


def _relationship(resource: Element) -> str:
    """Give the v3-RoleCode, as GUARD, MTH, SPS; else whatever code there is."""
    codings = [
        coding
        for concept in resource.elements("relationship")
        for coding in concept.elements("coding")
    ]
    codes = [(coding.uri("system") != _ROLES, coding.code("code")) for coding in codings]
    return min(codes, key=lambda one: one[0])[1] if codes else ""
