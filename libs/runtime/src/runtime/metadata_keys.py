"""Keys of the metadata that calls carry."""

from typing import Final

AUTHORIZATION: Final = "authorization"
"""The token, after "Bearer "."""
TENANT: Final = "careline-tenant"
"""Whom services and operators act for."""
PURPOSE: Final = "careline-purpose-of-use"
ASSERTION: Final = "careline-caller-assertion"
