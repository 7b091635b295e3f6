"""One resource of a file: checked, and read if it is of a type that we use."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from patient_context.adapters.fhir.clinical import CLINICAL_TYPES, EntryRead, read_entry
from patient_context.adapters.fhir.element import Element
from patient_context.adapters.fhir.not_fhir import NotFhir
from patient_context.adapters.fhir.patient import (
    PatientRead,
    RelatedPersonRead,
    read_patient,
    read_related_person,
)
from patient_context.adapters.fhir.resource_types import RESOURCE_TYPES
from patient_context.adapters.fhir.structure import READ_TYPES, check_structure

Content: TypeAlias = PatientRead | RelatedPersonRead | EntryRead


@dataclass(frozen=True, slots=True)
class ResourceRead:
    """A resource's type, and what it says if we use that; None for one that is only counted."""

    resource_type: str
    content: Content | None = None


def read_resource(value: Any, path: str | None, now: datetime) -> ResourceRead:  # noqa: ANN401  any JSON value
    """Read a resource at a path, None for one that stands alone; raises NotFhir.

    Types that we use are checked whole, others for their type and id only.
    """
    if not isinstance(value, dict):
        raise NotFhir(path or "", "not an object")
    resource_type = value.get("resourceType")
    if not isinstance(resource_type, str) or resource_type not in RESOURCE_TYPES:
        at = f"{path}.resourceType" if path else "resourceType"
        raise NotFhir(at, "no resource type of FHIR R4")
    resource = Element(path or resource_type, value)
    if resource_type not in READ_TYPES:
        resource.id()
        return ResourceRead(resource_type)
    check_structure(resource_type, value, resource.path)
    return ResourceRead(resource_type, _content(resource_type, resource, now))


def _content(resource_type: str, resource: Element, now: datetime) -> Content | None:
    if resource_type in CLINICAL_TYPES:
        return read_entry(resource_type, resource)
    if resource_type == "Patient":
        return read_patient(resource, now)
    return read_related_person(resource, now)
