"""The screen pop: from the local read model alone, as far as level, purpose and consent allow."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from careline.patient_context.events.v1.events_pb2 import Demographics
from eventstore.execute import Executor
from eventstore.stream_id import StreamId
from runtime.access_records import AccessRecords
from runtime.refusal import Refused
from runtime.request_context import current_request

from patient_context.application.known_patient import KnownPatient
from patient_context.application.projected import Projected
from patient_context.domain.clinical_record import Selected, select
from patient_context.domain.disclosure import Allowance, Level, to_agent, to_registration
from patient_context.domain.patient import PATIENT, require_registered


class KnownPatients(Protocol):
    """The read model."""

    async def patient(self, tenant: str, name: str) -> KnownPatient | None: ...


@dataclass(frozen=True, slots=True)
class Shown:
    """What may leave, and the disclosure on record."""

    patient: str
    demographics: Demographics = field(repr=False)
    selected: Selected = field(repr=False)
    allowance: Allowance
    level: Level
    disclosure: str
    at: datetime


class ScreenPops:
    """Shows patients, within the caller's tenant; `now` is the clock."""

    def __init__(
        self,
        executor: Executor,
        patients: KnownPatients,
        projected: Projected,
        records: AccessRecords,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._executor = executor
        self._patients = patients
        self._projected = projected
        self._records = records
        self._now = now

    async def to_agent(self, patient: str, conversation: str, level: Level) -> Shown:
        """Show a patient to an agent who is in contact with a caller of that level.

        Raises Refused, and Rejected for a patient who is unknown or erased.
        """
        if level is Level.ANONYMOUS:
            # Said before anything is looked up: it tells nothing of whether there is a patient.
            raise Refused("DISCLOSURE_REFUSED")
        known, at = await self._known(patient), self._now()
        purpose = current_request().purpose or ""
        allowance = to_agent(level, purpose, known.consents, deceased=known.deceased, at=at)
        return await self._shown(known, allowance, at, conversation, level)

    async def to_registration(self, patient: str) -> Shown:
        """Show who a patient is to the registration desk, outside any contact."""
        known, at = await self._known(patient), self._now()
        allowance = to_registration(current_request().purpose or "", known.consents, at=at)
        return await self._shown(known, allowance, at, "", Level.ANONYMOUS)

    async def _known(self, patient: str) -> KnownPatient:
        """Read the patient as of what is appended now: a consent counts from the next call on."""
        context = current_request()
        loaded = await self._executor.load(StreamId(context.tenant, patient), PATIENT)
        require_registered(loaded.state)
        await self._projected.wait_for(loaded.position, context.remaining())
        known = await self._patients.patient(context.tenant, patient)
        if known is None:
            raise Refused("PATIENT_ERASED")
        return known

    async def _shown(
        self,
        known: KnownPatient,
        allowance: Allowance,
        at: datetime,
        conversation: str,
        level: Level,
    ) -> Shown:
        if allowance.is_nothing:
            raise Refused("DISCLOSURE_REFUSED")
        selected = select(known.entries, allowance, at)
        disclosure = await self._records.disclosed(
            known.name,
            sorted(allowance.types),
            conversation=conversation,
            caller_level=level.name if conversation else "",
            at=at,
        )
        return Shown(known.name, known.demographics, selected, allowance, level, disclosure, at)
