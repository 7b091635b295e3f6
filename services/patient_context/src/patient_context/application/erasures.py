"""Erases patients: the request is on record first, then the keys go, then that they went."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol
from uuid import UUID

from eventstore.durability import Durability
from eventstore.execute import Executor, Request
from eventstore.stream_id import StreamId
from runtime.idempotency import Requests
from runtime.principal import service_principal
from runtime.request_context import RequestContext, acting_in, current_request
from sealing.keyring.erasure import Erasure

from patient_context.application.projected import Projected
from patient_context.application.replicated import said_when_replicated_nowhere
from patient_context.domain import patient
from patient_context.domain.patient import PATIENT, Patient, Status

_SECONDS: Final = 90.0


class Keys(Protocol):
    """Destroys keys: sealing's Keyring."""

    async def erase(self, tenant: str, patient: str, request_id: str) -> Erasure: ...


@dataclass(frozen=True, slots=True)
class PendingErasure:
    """An erasure that was requested and is not done; `event_id` is that of the request's event."""

    tenant: str
    patient: str
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Erased:
    """When the keys went, those of how many other subjects, and where that is on record."""

    at: datetime
    subjects: int
    position: int


class Erasures:
    """Every step can be repeated: whoever repeats it finishes what another began."""

    def __init__(
        self,
        executor: Executor,
        requests: Requests,
        keys: Keys,
        projected: Projected,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._executor = executor
        self._requests = requests
        self._keys = keys
        self._projected = projected
        self._now = now

    async def erase(self, of: str, reason: str, request: Request, confirmation: Request) -> Erased:
        """Erase a patient of the caller's tenant; one who is erased already stays so.

        Answered when no search finds the patient any more. Raises Rejected for an unknown patient,
        and what a log or keyring that is away raises: once the request is on record,
        UnfinishedErasures goes on.
        """
        tenant = current_request().tenant
        with said_when_replicated_nowhere():
            done = await self._executor.execute(
                StreamId(tenant, of),
                PATIENT,
                lambda state: patient.request_erasure(state, reason=reason, at=self._now()),
                subject=of,
                request=request,
                durability=Durability.REPLICATED,
            )
        if done.state.status is Status.ERASED:
            erased = _erased(done.state, done.position)
        else:
            erased = await self._finish(tenant, of, confirmation)
        await self._projected.wait_for(erased.position, current_request().remaining())
        return erased

    async def finish(self, pending: PendingErasure) -> None:
        """Finish an erasure as the service itself."""
        with acting_in(_own_request(pending)):
            confirmation = await self._requests.own_decision(pending.event_id)
            await self._finish(pending.tenant, pending.patient, confirmation)

    async def _finish(self, tenant: str, of: str, confirmation: Request) -> Erased:
        # One erasure a patient, whoever asks how often: the keyring answers it as the first time.
        erasure = await self._keys.erase(tenant, of, of)
        with said_when_replicated_nowhere():
            done = await self._executor.execute(
                StreamId(tenant, of),
                PATIENT,
                lambda state: patient.confirm_erasure(
                    state, subjects=erasure.erased, at=erasure.erased_at
                ),
                subject=of,
                request=confirmation,
                durability=Durability.REPLICATED,
            )
        return _erased(done.state, done.position)


def _erased(state: Patient, position: int) -> Erased:
    if state.erase_time is None:
        raise RuntimeError("an erased patient without the time of it")
    return Erased(state.erase_time, max(state.erased_subjects - 1, 0), position)


def _own_request(pending: PendingErasure) -> RequestContext:
    return RequestContext(
        action="patientContext.finishErasure",
        method="patient_context/finishErasure",
        principal=service_principal("patient_context"),
        tenant=pending.tenant,
        purpose=None,
        deadline=asyncio.get_running_loop().time() + _SECONDS,
        correlation_id=str(pending.event_id),
        causation_id=str(pending.event_id),
    )
