"""The tenant of a platform on one machine."""

from typing import Final

DEMO_TENANT: Final = "demo"
