"""How tenants, subjects and purposes are written."""

import re

_TENANT = re.compile(r"[a-z][a-z0-9-]{1,31}")
_SUBJECT = re.compile(r"[a-z][A-Za-z0-9]{0,63}/[A-Za-z0-9_-]{1,64}")
_PURPOSE = re.compile(r"[a-z][a-z0-9.-]{0,63}")
_REQUEST = re.compile(r"[A-Za-z0-9_.:/-]{1,128}")


def require_tenant(tenant: str) -> None:
    """Raise ValueError unless it is a tenant's slug."""
    if _TENANT.fullmatch(tenant) is None:
        raise ValueError("a tenant is a slug: 2 to 32 of a-z, 0-9 and -, a letter first")


def require_subjects(*subjects: str) -> None:
    """Raise ValueError unless each is a resource name."""
    if any(_SUBJECT.fullmatch(subject) is None for subject in subjects):
        raise ValueError("a subject is a resource name, '<collection>/<id>'")


def require_purpose(purpose: str) -> None:
    """Raise ValueError unless it names a purpose, as `blind-index`."""
    if _PURPOSE.fullmatch(purpose) is None:
        raise ValueError("a purpose is 1 to 64 of a-z, 0-9, . and -, a letter first")


def require_request(request_id: str) -> None:
    """Raise ValueError unless it can be a request id."""
    if _REQUEST.fullmatch(request_id) is None:
        raise ValueError("a request id is 1 to 128 of letters, digits and _.:/-")
