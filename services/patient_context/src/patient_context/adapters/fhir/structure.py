"""Whether a resource has the fields, cardinalities and JSON types of its FHIR type.

fhir.resources knows every field of every element; it is lax about values (healthcare anchors 7),
which `primitives` and the readers are not.
"""

from collections.abc import Mapping
from typing import Any, Final

from fhir.resources.R4B.allergyintolerance import AllergyIntolerance
from fhir.resources.R4B.appointment import Appointment
from fhir.resources.R4B.condition import Condition
from fhir.resources.R4B.encounter import Encounter
from fhir.resources.R4B.medicationrequest import MedicationRequest
from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.relatedperson import RelatedPerson
from pydantic import BaseModel, ValidationError

from patient_context.adapters.fhir.not_fhir import NotFhir

# R4B left these seven types as R4 has them (hl7.org/fhir/R4B/diff.html).
_MODELS: Final[Mapping[str, type[BaseModel]]] = {
    "AllergyIntolerance": AllergyIntolerance,
    "Appointment": Appointment,
    "Condition": Condition,
    "Encounter": Encounter,
    "MedicationRequest": MedicationRequest,
    "Patient": Patient,
    "RelatedPerson": RelatedPerson,
}
READ_TYPES: Final = frozenset(_MODELS)
MOST_VALUES: Final = 20_000
"""Bounds the time that one resource is looked at, to less than a tenth of a second."""
_REASONS: Final = {
    "missing": "missing",
    "model_field_validation.missing": "missing",
    "extra_forbidden": "has a field that FHIR R4 does not know here",
    "list_type": "not a list",
    "model_type": "not an object",
    "dict_type": "not an object",
    "string_type": "not a string",
    "bool_type": "not true or false",
    "bool_parsing": "not true or false",
}
_OTHERWISE: Final = "not as FHIR R4 has it"


def check_structure(resource_type: str, resource: dict[str, Any], path: str) -> None:
    """Raise NotFhir that names the first fault of a resource of one of READ_TYPES."""
    if _has_more_values_than(resource, MOST_VALUES):
        raise NotFhir(path, f"more than {MOST_VALUES} values in one resource")
    try:
        _MODELS[resource_type].model_validate(resource)
    except ValidationError as error:
        fault = error.errors(include_input=False, include_url=False, include_context=False)[0]
        kind = fault["type"]
        # The last step to an unknown field is its name, which is the sender's and may be a value.
        steps = fault["loc"][:-1] if kind == "extra_forbidden" else fault["loc"]
        raise NotFhir(_path(path, steps), _REASONS.get(kind, _OTHERWISE)) from None
    except RecursionError:
        raise NotFhir(path, "nested too deep") from None
    except Exception:  # noqa: BLE001  its validators fail in many ways on what is no FHIR at all
        raise NotFhir(path, _OTHERWISE) from None


def _has_more_values_than(value: object, most: int) -> bool:
    waiting, seen = [value], 0
    while waiting:
        inner = waiting.pop()
        if isinstance(inner, dict):
            inner = list(inner.values())
        if isinstance(inner, list):
            seen += len(inner)
            if seen > most:
                return True
            waiting += inner
    return False


def _path(path: str, steps: tuple[int | str, ...]) -> str:
    return path + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in steps)
