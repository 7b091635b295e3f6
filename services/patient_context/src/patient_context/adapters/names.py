"""Resource names that callers send."""

import re
from typing import Final

from runtime.refusal import field_invalid

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def resource_name(text: str, collection: str, field: str) -> str:
    """Give back a name of a collection, as "patients/0197..."; raises FieldsInvalid."""
    prefix, _, identifier = text.partition("/")
    if prefix != collection or not _ID.fullmatch(identifier):
        raise field_invalid(field, f'a name as "{collection}/{{id}}"')
    return text
