"""Checks of resource names that callers send, as "queues/appointments"."""

import re
from typing import Final

from runtime.refusal import field_invalid

_ID: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def resource_name(text: str, collection: str, field: str) -> str:
    """Give back a name whose id anybody may have chosen; raises FieldsInvalid."""
    return _checked(text, collection, field, _ID)


def uuid_resource_name(text: str, collection: str, field: str) -> str:
    """Give back a name whose id a service made, hence a UUID; raises FieldsInvalid."""
    return _checked(text, collection, field, _UUID)


def _checked(text: str, collection: str, field: str, form: re.Pattern[str]) -> str:
    prefix, _, identifier = text.partition("/")
    if prefix != collection or form.fullmatch(identifier) is None:
        raise field_invalid(field, f'a name as "{collection}/{{id}}"')
    return text
