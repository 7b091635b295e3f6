"""Tenant names."""

import re
from typing import Final

ALL_TENANTS: Final = "*"
"""Stands for the whole platform: only Careline's own services act without a tenant."""

_SLUG = re.compile(r"[a-z][a-z0-9-]{1,31}")


def is_tenant(name: str) -> bool:
    """Tell whether `name` is a tenant's slug; ALL_TENANTS is none."""
    return _SLUG.fullmatch(name) is not None
