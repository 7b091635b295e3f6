"""How resources name the patient that they are about."""

import re

_RELATIVE = re.compile(r"Patient/([A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?")
_ABSOLUTE = re.compile(
    r"(https?://\S+/Patient/[A-Za-z0-9.-]{1,64})(?:/_history/[A-Za-z0-9.-]{1,64})?"
)
_UUID = re.compile(r"urn:uuid:[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


def patient_key(reference: str) -> str | None:
    """Bring a literal reference to a patient into one form, which `keys_of` gives, too.

    None for anything else: a search, a contained resource, a resource of another type.
    """
    if _UUID.fullmatch(reference):
        return reference.lower()
    if match := _RELATIVE.fullmatch(reference):
        return f"Patient/{match[1]}"
    if match := _ABSOLUTE.fullmatch(reference):
        return match[1]
    return None


def keys_of(resource_id: str, full_url: str) -> list[str]:
    """Give the keys by which others refer to a patient; `full_url` is its bundle entry's."""
    keys = [f"Patient/{resource_id}"] if resource_id else []
    own = patient_key(full_url)
    return keys if own is None else [*keys, own]
