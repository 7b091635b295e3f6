"""What came of one file."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from patient_context.adapters.fhir.patients import Refusal, Where

MOST_REFUSED: Final = 1_000


@dataclass(slots=True)
class FileOutcome:
    """Counts of a file. Refusals beyond the first thousand are counted, not listed."""

    file: int
    patients: int = 0
    changed: int = 0
    resources: Counter[str] = field(default_factory=Counter)
    refused: list[Refusal] = field(default_factory=list)
    more_refused: int = 0

    def refuse(self, where: Where, reason: str) -> None:
        if len(self.refused) < MOST_REFUSED:
            self.refused.append(Refusal(where, reason))
        else:
            self.more_refused += 1
