"""What work that takes a while tells of itself."""

from collections.abc import Callable
from typing import TypeAlias

StepProgress: TypeAlias = Callable[[str, int, int], None]
"""Told what is under way, how far it is, and how far it goes: positions, or rows."""
