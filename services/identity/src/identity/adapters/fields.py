"""Checks what callers send, and names the field that is not as expected."""

from collections.abc import Collection, Iterable

from runtime.idempotency import request_id_of
from runtime.refusal import FieldsInvalid, FieldViolation, field_invalid
from runtime.tenant import is_tenant


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


def require_request_id(text: str) -> None:
    """Refuse a missing or malformed request id before anything is looked up: a check that comes
    later would tell what was found.
    """
    request_id_of(text)


def require_no_longer(texts: dict[str, str], longest: int) -> None:
    """Refuse texts that are longer than anything a person would say."""
    violations = [
        FieldViolation(field, f"at most {longest} characters")
        for field, text in texts.items()
        if len(text) > longest
    ]
    if violations:
        raise FieldsInvalid(*violations)
