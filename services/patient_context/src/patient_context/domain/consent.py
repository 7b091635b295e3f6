"""What a patient allows and forbids: a denial overrides every permission."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Decision(StrEnum):
    PERMIT = "PERMIT"
    DENY = "DENY"


@dataclass(frozen=True, slots=True)
class Consent:
    """A decision in force from `start` on and, if `end` is set, before it.

    No purposes mean all purposes of use, no resource types all of FHIR's.
    """

    decision: Decision
    purposes: frozenset[str] = frozenset()
    resource_types: frozenset[str] = frozenset()
    start: datetime | None = None
    end: datetime | None = None

    def speaks_of(self, resource_type: str, *, purpose: str, at: datetime) -> bool:
        return (
            (self.start is None or self.start <= at)
            and (self.end is None or at < self.end)
            and (not self.purposes or purpose in self.purposes)
            and (not self.resource_types or resource_type in self.resource_types)
        )


def is_denied(
    consents: Iterable[Consent], resource_type: str, *, purpose: str, at: datetime
) -> bool:
    """Tell whether any decision in force forbids it."""
    return _any(Decision.DENY, consents, resource_type, purpose, at)


def is_permitted(
    consents: Iterable[Consent], resource_type: str, *, purpose: str, at: datetime
) -> bool:
    """Tell whether the patient allowed it in so many words, and forbade it in none."""
    decisions = tuple(consents)
    return _any(Decision.PERMIT, decisions, resource_type, purpose, at) and not is_denied(
        decisions, resource_type, purpose=purpose, at=at
    )


def _any(
    decision: Decision,
    consents: Iterable[Consent],
    resource_type: str,
    purpose: str,
    at: datetime,
) -> bool:
    return any(
        consent.decision is decision and consent.speaks_of(resource_type, purpose=purpose, at=at)
        for consent in consents
    )
