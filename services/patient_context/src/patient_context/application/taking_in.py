"""Takes in what a source says of a patient: once, whatever file it comes in and how often."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from eventstore.execute import MAX_EVENTS, ConflictPersists, Executor
from eventstore.stream_id import StreamId
from runtime.idempotency import Requests
from runtime.new_id import new_id
from runtime.request_context import current_request

from patient_context.application.content import Content, Contents
from patient_context.application.source_patient import SourcePatient
from patient_context.domain import patient
from patient_context.domain.patient import PATIENT, Patient

_SPARE_APPENDS: Final = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """Whether the patient is another now than before, and the log's position that has all of it."""

    changed: bool
    position: int


class TakingIn:
    """Takes patients in, within the caller's tenant; `now` is the clock.

    A record that needs more events than one append takes is appended in several: readers go on
    with the old one until all parts are there, and whoever sends it again completes it.
    """

    def __init__(
        self,
        executor: Executor,
        requests: Requests,
        contents: Contents,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._executor = executor
        self._requests = requests
        self._contents = contents
        self._now = now

    async def take_in(self, source: SourcePatient) -> Outcome:
        """Append what is new.

        Raises Rejected for a patient who was erased, ConflictPersists when others keep sending
        something else of the same patient.
        """
        tenant = current_request().tenant
        content = await self._contents.of(tenant, source)
        stream = StreamId(tenant, content.patient)
        loaded = await self._executor.load(stream, PATIENT)
        state, position = loaded.state, loaded.position
        appends_left = len(content.taken.parts or ()) // MAX_EVENTS + _SPARE_APPENDS
        changed = False
        while self._is_new(state, content):
            if not appends_left:
                raise ConflictPersists("others keep changing the patient: try again")
            state, position = await self._append(stream, content)
            appends_left -= 1
            changed = True
        return Outcome(changed, position)

    def _is_new(self, state: Patient, content: Content) -> bool:
        return bool(patient.take_in(state, content.taken, at=self._now()))

    async def _append(self, stream: StreamId, content: Content) -> tuple[Patient, int]:
        """Append as much as one append takes."""
        done = await self._executor.execute(
            stream,
            PATIENT,
            lambda known: patient.take_in(known, content.taken, at=self._now())[:MAX_EVENTS],
            subject=content.patient,
            request=await self._requests.own_decision(new_id()),
        )
        return done.state, done.position
