"""What callers narrow the trail by, checked."""

import re
from datetime import datetime
from typing import Final

from runtime.refusal import Refused, field_invalid

from audit.adapters.queries import Place

_NAME: Final = re.compile(r"[a-z][A-Za-z0-9]{0,63}/[A-Za-z0-9_-]{1,64}")
_TRACE: Final = re.compile(r"[0-9a-f]{32}")
_LARGEST: Final = 2**63 - 1


def name(text: str, field: str, form: str = "{collection}/{id}") -> str:
    """Take a resource name, or nothing; raises FieldsInvalid."""
    collection = form.partition("/")[0]
    fits = _NAME.fullmatch(text) and collection in ("{collection}", text.partition("/")[0])
    if text and not fits:
        raise field_invalid(field, f'a name as "{form}"')
    return text


def trace_id(text: str) -> str:
    """Take a W3C trace id, or nothing; raises FieldsInvalid."""
    if text and not _TRACE.fullmatch(text):
        raise field_invalid("trace_id", "32 hexadecimal digits in lower case")
    return text


def place(parts: list[str]) -> Place:
    """Take the parts of a page token, which callers could make themselves; raises Refused."""
    time, service, epoch, position = parts
    try:
        after = Place(datetime.fromisoformat(time), service, int(epoch), int(position))
    except ValueError:
        raise Refused("PAGE_TOKEN_INVALID") from None
    within = 0 <= after.epoch <= _LARGEST and 0 <= after.position <= _LARGEST
    if after.time.tzinfo is None or "\0" in service or not within:
        raise Refused("PAGE_TOKEN_INVALID")
    return after
