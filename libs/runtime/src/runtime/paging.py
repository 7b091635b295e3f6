"""Pages of a list (AIP-158): sizes, and tokens that say where the next page begins.

A token is bound to tenant, method and query, and grants nothing: whoever sends it is asked again
for the right to see the page.
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Final

from google.protobuf.message import Message

from runtime.refusal import Refused, field_invalid
from runtime.request_context import current_request

_NOT_OF_THE_QUERY: Final = ("page_size", "page_token", "at_least", "at_least_service")
_BINDING_BYTES: Final = 16
_LONGEST_TOKEN: Final = 1024


def page_size(requested: int, *, usual: int, largest: int) -> int:
    """Give how many entries a page has; raises FieldsInvalid for a negative wish."""
    if requested < 0:
        raise field_invalid("page_size", "a whole number, not negative")
    return min(requested or usual, largest)


def page_token(query: Message, place: Sequence[str]) -> str:
    """Make the token of the page that begins after `place`."""
    text = json.dumps(list(place), separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_binding(query) + text).decode()


def place_of(query: Message, token: str, parts: int) -> list[str] | None:
    """Give the place of `parts` texts that a token holds, None without a token.

    Raises Refused for a token of another query, method or tenant, or of another form.
    """
    if not token:
        return None
    try:
        content = base64.b64decode(token[:_LONGEST_TOKEN], altchars=b"-_", validate=True)
        binding, text = content[:_BINDING_BYTES], content[_BINDING_BYTES:]
        place: object = json.loads(text)
    except (binascii.Error, ValueError):
        raise Refused("PAGE_TOKEN_INVALID") from None
    texts = [part for part in place if isinstance(part, str)] if isinstance(place, list) else []
    if len(texts) != parts or not hmac.compare_digest(binding, _binding(query)):
        raise Refused("PAGE_TOKEN_INVALID")
    return texts


def _binding(query: Message) -> bytes:
    context = current_request()
    bare = type(query)()
    bare.CopyFrom(query)
    for name in _NOT_OF_THE_QUERY:
        if name in bare.DESCRIPTOR.fields_by_name:
            bare.ClearField(name)
    content = b"\0".join(
        (
            context.tenant.encode(),
            context.method.encode(),
            bare.SerializeToString(deterministic=True),
        )
    )
    return hashlib.sha256(content).digest()[:_BINDING_BYTES]
