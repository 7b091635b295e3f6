"""What verification asks of the patients that identity knows."""

from dataclasses import dataclass, field
from typing import Protocol

from identity.domain.matching import Candidate, Identifiers, MatchPolicy
from identity.domain.number_on_file import Number


@dataclass(frozen=True, slots=True)
class KnownPatient:
    """A patient whose data are there: neither erased nor unknown."""

    patient: str
    deceased: bool
    numbers: tuple[Number, ...] = field(repr=False)


class KnownPatients(Protocol):
    """The patients of a tenant, as patient_context last said."""

    async def candidates(
        self, tenant: str, identifiers: Identifiers, policy: MatchPolicy
    ) -> list[Candidate]:
        """Give the records that may be meant, among a bounded number that is always the same."""

    async def read(self, tenant: str, patient: str) -> KnownPatient | None: ...
