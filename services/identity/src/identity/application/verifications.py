"""A conversation's verification: beginning it, and asserting how far it came."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from eventstore.decider import Rejected
from eventstore.execute import Executor, Request
from runtime.principal import PrincipalKind
from runtime.purpose_of_use import PurposeOfUse
from runtime.request_context import current_request
from runtime.tokens.caller_assertion import CallerAssertion, CallerLevel

from identity.application.known_patients import KnownPatients
from identity.application.names import stream_of
from identity.domain import verification as domain
from identity.domain import verifying
from identity.domain.verification import Level, Verification


@dataclass(frozen=True, slots=True)
class Reached:
    """What a request came to: the verification's state, and the log's position."""

    name: str
    state: Verification
    position: int


@dataclass(frozen=True, slots=True)
class Asserted:
    """A verification and, when a level is reached that still holds, its signed assertion."""

    reached: Reached
    level: Level
    assertion: str
    expires: datetime | None


class AssertionSigner(Protocol):
    """Signs in Vault; raises VaultUnavailable."""

    async def sign(self, assertion: CallerAssertion, lifetime: float) -> str: ...


def verification_of(conversation: str) -> str:
    """Name the verification of a conversation: there is one, so that its limits can not be
    escaped by beginning another.
    """
    return f"verifications/{conversation.removeprefix('conversations/')}"


class Verifications:
    """Use cases within the caller's tenant. `assertion` is how long one is good for."""

    def __init__(
        self,
        executor: Executor,
        patients: KnownPatients,
        signer: AssertionSigner,
        *,
        assertion: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._executor = executor
        self._patients = patients
        self._signer = signer
        self._assertion = assertion
        self._now = now

    async def start(
        self, conversation: str, channel: str, purpose: PurposeOfUse, request: Request
    ) -> Reached:
        """Begin, or begin anew. Raises Rejected (VERIFICATION_EXHAUSTED)."""
        name, now, frontend = verification_of(conversation), self._now(), _caller()
        done = await self._executor.execute(
            stream_of(name),
            domain.DECIDER,
            lambda state: verifying.start(
                state,
                conversation=conversation,
                channel=channel,
                purpose=purpose,
                frontend=frontend,
                at=now,
            ),
            subject=name,
            request=request,
        )
        return Reached(name, done.state, done.position)

    async def own(self, name: str) -> Reached:
        """Load a verification that the calling frontend began.

        Raises Rejected (DENIED_OR_ABSENT) for another's as for none.
        """
        loaded = await self._executor.load(stream_of(name), domain.DECIDER)
        if loaded.revision < 0 or loaded.state.frontend != _caller():
            raise Rejected("DENIED_OR_ABSENT")
        return Reached(name, loaded.state, loaded.position)

    async def get(self, name: str) -> Asserted:
        """Give the state and a fresh assertion, to the frontend that began it and to agents.

        Nothing is asserted of a patient who died or was erased since.
        """
        reached = await self._visible(name)
        now, state = self._now(), reached.state
        level = state.level_at(now)
        if level is not Level.ANONYMOUS and not await self._is_alive(state.patient):
            level = Level.ANONYMOUS
        if level is Level.ANONYMOUS:
            return Asserted(reached, level, "", None)
        lifetime = min(self._assertion, state.level_expires - now)
        if lifetime < timedelta(seconds=1):
            return Asserted(reached, Level.ANONYMOUS, "", None)
        signed = await self._signer.sign(
            CallerAssertion(
                tenant=current_request().tenant,
                conversation=state.conversation,
                patient=state.patient,
                level=CallerLevel[level],
                purpose=PurposeOfUse(state.purpose),
            ),
            lifetime.total_seconds(),
        )
        return Asserted(reached, level, signed, now + lifetime)

    async def _visible(self, name: str) -> Reached:
        principal = current_request().principal
        if principal is None or principal.kind is PrincipalKind.FRONTEND:
            return await self.own(name)
        loaded = await self._executor.load(stream_of(name), domain.DECIDER)
        if loaded.revision < 0:
            raise Rejected("DENIED_OR_ABSENT")
        return Reached(name, loaded.state, loaded.position)

    async def _is_alive(self, patient: str) -> bool:
        known = await self._patients.read(current_request().tenant, patient)
        return known is not None and not known.deceased


def _caller() -> str:
    principal = current_request().principal
    return principal.name if principal else ""
