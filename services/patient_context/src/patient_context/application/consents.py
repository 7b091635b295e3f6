"""Records what patients allow and forbid."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from careline.patient_context.events.v1.events_pb2 import ConsentRecorded
from eventstore.durability import Durability
from eventstore.execute import Executor, Request
from eventstore.stream_id import StreamId
from runtime.request_context import current_request

from patient_context.application.projected import Projected
from patient_context.application.replicated import said_when_replicated_nowhere
from patient_context.domain import patient
from patient_context.domain.consent import Consent
from patient_context.domain.moment import moment
from patient_context.domain.patient import PATIENT


@dataclass(frozen=True, slots=True)
class Recorded:
    """A decision's name, from when it counts, and where it is on record."""

    name: str
    start: datetime
    position: int


class Consents:
    """Decisions of patients of the caller's tenant.

    A decision is answered when it is safe elsewhere, too, and counts in every search: a client that
    hears otherwise sends the same request again.
    """

    def __init__(
        self,
        executor: Executor,
        projected: Projected,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._executor = executor
        self._projected = projected
        self._now = now

    async def record(self, of: str, name: str, consent: Consent, request: Request) -> Recorded:
        """Record a decision; raises Rejected for a patient who is unknown or erased."""
        with said_when_replicated_nowhere():
            done = await self._executor.execute(
                StreamId(current_request().tenant, of),
                PATIENT,
                lambda state: patient.record_consent(state, name, consent, at=self._now()),
                subject=of,
                request=request,
                durability=Durability.REPLICATED,
            )
        await self._projected.wait_for(done.position, current_request().remaining())
        starts = [one.start_time for one in done.events if isinstance(one, ConsentRecorded)]
        return Recorded(name, moment(starts[0]), done.position)

    async def revoke(self, of: str, name: str, request: Request) -> int:
        """Take a decision back; gives the log's position. Raises Rejected."""
        with said_when_replicated_nowhere():
            done = await self._executor.execute(
                StreamId(current_request().tenant, of),
                PATIENT,
                lambda state: patient.revoke_consent(state, name, at=self._now()),
                subject=of,
                request=request,
                durability=Durability.REPLICATED,
            )
        await self._projected.wait_for(done.position, current_request().remaining())
        return done.position
