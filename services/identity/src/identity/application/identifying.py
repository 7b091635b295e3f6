"""Taking a set of identifiers: judged as a whole, answered alike whatever failed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from eventstore.execute import ConflictPersists, Request
from eventstore.joint import Joint, JointExecutor, Jointly, Part
from runtime.request_context import current_request

from identity.application.even_time import EvenTime
from identity.application.known_patients import KnownPatients
from identity.application.names import stream_of
from identity.application.verifications import Reached, Verifications
from identity.domain import patient_verification as patients
from identity.domain import verification as domain
from identity.domain import verifying
from identity.domain.matching import Identifiers, MatchPolicy, Result, match
from identity.domain.patient_verification import PatientPolicy, PatientVerification
from identity.domain.verification import Verification, VerificationPolicy


@dataclass(frozen=True, slots=True)
class IdentifyingRules:
    """By which numbers and which clock sets are judged."""

    verification: VerificationPolicy
    patient: PatientPolicy
    matching: MatchPolicy
    even_time: EvenTime
    now: Callable[[], datetime]


class Identifying:
    """Judges sets of identifiers for the frontend that began the verification."""

    def __init__(
        self,
        joint: JointExecutor,
        verifications: Verifications,
        known: KnownPatients,
        rules: IdentifyingRules,
    ) -> None:
        self._joint = joint
        self._verifications = verifications
        self._known = known
        self._rules = rules

    async def submit(self, name: str, identifiers: Identifiers, request: Request) -> Reached:
        """Record what the set was. Raises Rejected: DENIED_OR_ABSENT, VERIFICATION_STATE,
        VERIFICATION_EXHAUSTED.
        """
        await self._verifications.own(name)
        async with self._rules.even_time.answering():
            candidates = await self._known.candidates(
                current_request().tenant, identifiers, self._rules.matching
            )
            result = match(identifiers, candidates, self._rules.matching)
            try:
                done = await self._decide(name, result, request)
            except ConflictPersists:
                # So many guess at the same patients that this set could not be judged: it counts
                # as failed, for an error of its own would tell that there is such a patient.
                unjudged = Result(None, (), result.reason)
                done = await self._decide(name, unjudged, request)
        return Reached(name, done.state, done.position)

    async def _decide(
        self, name: str, result: Result, request: Request
    ) -> Jointly[Verification, domain.Event, PatientVerification]:
        """Append to the verification and to the counts of all whom the set came close to."""
        now = self._rules.now()
        concerned = result.close if result.patient is None else (result.patient,)

        def take(
            state: Verification, counts: Sequence[PatientVerification]
        ) -> Joint[domain.Event, patients.Event]:
            locked = [count.is_locked(now, self._rules.patient) for count in counts]
            matched = result.patient if result.patient and not any(locked) else None
            decided = verifying.take_identifiers(
                state, patient=matched, at=now, policy=self._rules.verification
            )
            fact = patients.failed if matched is None else patients.matched
            return Joint(decided, [[] if is_locked else fact(name, now) for is_locked in locked])

        return await self._joint.execute(
            request,
            Part(stream_of(name), domain.DECIDER),
            [Part(stream_of(patients.name_of(patient)), patients.DECIDER) for patient in concerned],
            take,
        )
