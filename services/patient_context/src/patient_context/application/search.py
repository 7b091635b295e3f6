"""Finds patients by what people know of themselves; every candidate shown is a disclosure."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from runtime.access_records import AccessRecords
from runtime.request_context import current_request

from patient_context.application.known_patient import KnownPatient
from patient_context.domain.consent import is_denied

PATIENT: Final = "Patient"


class Candidates(Protocol):
    """The read model."""

    async def candidates(
        self, tenant: str, tokens: Collection[bytes], *, after: str, limit: int
    ) -> list[KnownPatient]: ...


@dataclass(frozen=True, slots=True)
class Page:
    """Patients in order of name; `last` is where the next page begins after, None at the end."""

    patients: tuple[KnownPatient, ...]
    last: str | None


class Search:
    """Searches within the caller's tenant; `now` is the clock."""

    def __init__(
        self,
        candidates: Candidates,
        records: AccessRecords,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._candidates = candidates
        self._records = records
        self._now = now

    async def find(
        self,
        tokens: Collection[bytes],
        fits: Callable[[KnownPatient], bool],
        *,
        after: str,
        size: int,
    ) -> Page:
        """Give a page of those who have all tokens and, opened, fit; the disclosures come first.

        Whoever forbids it for this purpose is left out, as if not there.
        """
        context, at = current_request(), self._now()
        found = await self._candidates.candidates(
            context.tenant, tokens, after=after, limit=size + 1
        )
        purpose = context.purpose or ""
        shown = tuple(
            one
            for one in found[:size]
            if fits(one) and not is_denied(one.consents, PATIENT, purpose=purpose, at=at)
        )
        async with asyncio.TaskGroup() as group:
            for one in shown:
                group.create_task(self._records.disclosed(one.name, [PATIENT], at=at))
        return Page(shown, found[size - 1].name if len(found) > size else None)
