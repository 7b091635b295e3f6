"""Refusals that runtime and adapters raise; domains raise eventstore's Rejected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """What is wrong with one field. `field` is its path, as "identifiers.birth_date".

    `description` says what is expected in fixed words and never holds the value.
    """

    field: str
    description: str


class Refused(Exception):
    """A request is refused for a reason of careline.errors.v1.ErrorReason.

    `metadata` may hold states, counts, times and ids, never what a person said or is.
    `retry_after` is in seconds.
    """

    def __init__(
        self,
        reason: str,
        *,
        metadata: Mapping[str, str] | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.metadata = dict(metadata or {})
        self.retry_after = retry_after


class FieldsInvalid(Refused):
    """Fields of the request are malformed."""

    def __init__(self, *violations: FieldViolation) -> None:
        super().__init__("FIELD_INVALID")
        self.violations: Sequence[FieldViolation] = violations


def field_invalid(field: str, description: str) -> FieldsInvalid:
    """Make the refusal of one field."""
    return FieldsInvalid(FieldViolation(field, description))
