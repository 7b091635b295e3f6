"""CodeableConcepts, Codings and security labels."""

from dataclasses import dataclass

from patient_context.adapters.fhir.element import Element


@dataclass(frozen=True, slots=True)
class Coded:
    """`code` is "<system>|<code>", as "http://snomed.info/sct|44054006"; `display` is for people.
    Both are empty where the concept is.
    """

    code: str = ""
    display: str = ""


def concept(element: Element | None) -> Coded:
    """Read a CodeableConcept: its first coding that has a code, and the best words it has."""
    if element is None:
        return Coded()
    codings = [coding(each) for each in element.elements("coding")]
    code = next((each.code for each in codings if each.code), "")
    display = next((each.display for each in codings if each.display), "")
    return Coded(code, element.text("text") or display or code)


def coding(element: Element | None) -> Coded:
    """Read a Coding."""
    if element is None:
        return Coded()
    system, code, display = element.uri("system"), element.code("code"), element.text("display")
    return Coded(f"{system}|{code}" if system and code else code, display)


def code_of_system(element: Element | None, system: str) -> str:
    """Give the code that a CodeableConcept has in a system, empty when it has none."""
    for each in element.elements("coding") if element is not None else ():
        if each.uri("system") == system:
            return each.code("code")
    return ""


def security_labels(resource: Element) -> list[str]:
    """Give the codes of meta.security, sorted."""
    meta = resource.element("meta")
    labels = meta.elements("security") if meta is not None else []
    return sorted({code for each in labels if (code := each.code("code"))})
