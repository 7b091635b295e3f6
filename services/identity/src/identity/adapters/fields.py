"""Checks what callers send, and names the field that is not as expected."""

import re
from collections.abc import Collection, Iterable
from typing import Final
from uuid import UUID

from runtime.refusal import FieldsInvalid, FieldViolation, Refused, field_invalid
from runtime.tenant import is_tenant

_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ETAG: Final = re.compile(r"0|[1-9][0-9]{0,17}")


def resource_name(text: str, collection: str, field: str) -> str:
    """Give back a name of a collection, as "agents/0197..."."""
    prefix, _, identifier = text.partition("/")
    if prefix != collection or _ID.fullmatch(identifier) is None:
        raise field_invalid(field, f'a name as "{collection}/{{id}}"')
    return text


def tenant_name(text: str, field: str = "tenant") -> str:
    if not is_tenant(text):
        raise field_invalid(field, 'a tenant, as "demo"')
    return text


def bounded(text: str, field: str, longest: int, *, shortest: int = 1) -> str:
    """Give a text back without surrounding white space, if it is that long."""
    stripped = text.strip()
    if not shortest <= len(stripped) <= longest or not stripped.isprintable():
        raise field_invalid(field, f"{shortest} to {longest} printable characters")
    return stripped


def words_of(words: Iterable[str], known: Collection[str], field: str) -> tuple[str, ...]:
    """Give back at least one of the known words, without repeats."""
    given = tuple(dict.fromkeys(words))
    if not given or not set(given) <= set(known):
        raise field_invalid(field, f"at least one of {', '.join(sorted(known))}")
    return given


def word_of(word: str, known: Collection[str], field: str) -> str:
    if word not in known:
        raise field_invalid(field, f"one of {', '.join(sorted(known))}")
    return word


def etag_of(text: str) -> int | None:
    """Read an etag; None for an empty one, which takes the resource as it is."""
    if not text:
        return None
    if _ETAG.fullmatch(text) is None:
        raise field_invalid("etag", "an etag as it was read, or nothing")
    return int(text)


def require_request_id(text: str) -> None:
    """Refuse a missing or malformed request id before anything is looked up: a check that comes
    later would tell what was found.
    """
    if not text:
        raise Refused("REQUEST_ID_REQUIRED")
    try:
        UUID(text)
    except ValueError:
        raise field_invalid("request_id", "a UUIDv7") from None


def require_no_longer(texts: dict[str, str], longest: int) -> None:
    """Refuse texts that are longer than anything a person would say."""
    violations = [
        FieldViolation(field, f"at most {longest} characters")
        for field, text in texts.items()
        if len(text) > longest
    ]
    if violations:
        raise FieldsInvalid(*violations)
