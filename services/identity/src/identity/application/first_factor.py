"""Signing in with name and password: a session begins that waits for its second factor."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from careline.identity.events.v1 import events_pb2 as events
from eventstore.decider import Rejected
from eventstore.errors import EventIdReused
from eventstore.execute import ConflictPersists, Executor, Request
from eventstore.joint import Joint, JointExecutor, Jointly, Part

from identity.application.credentials import AgentCredentials, SessionKeys
from identity.application.even_time import EvenTime
from identity.application.names import stream_of
from identity.application.session_tokens import TokenKind, make_token
from identity.domain import agent as agents
from identity.domain import agent_name as agent_names
from identity.domain import session as sessions
from identity.domain.agent import Agent, Factor
from identity.domain.lockout import LockoutPolicy
from identity.domain.password_rules import canonical
from identity.domain.session import Session, SessionPolicy

KnownBy = Callable[[str, bytes], Awaitable[Request]]
"""Makes the Request of a sign-in from the agent it is about and what the password hashes to: what
a repeated request is known by must not let a password be guessed faster than its hash does."""


@dataclass(frozen=True, slots=True)
class Proof:
    """Whether a password was right, and what it hashes to (32 bytes)."""

    right: bool
    tag: bytes = field(repr=False)


class Passwords(Protocol):
    """Compares passwords."""

    async def verify(self, password: str, encoded: str | None) -> Proof:
        """Compare with a kept hash; without one as much work is done for nothing."""


class UserNames(Protocol):
    """Blind index of user names."""

    async def of_user_name(self, tenant: str, normal_name: str) -> str: ...


@dataclass(frozen=True, slots=True)
class SignInRules:
    """By which numbers and which clock agents sign in."""

    lockout: LockoutPolicy
    session: SessionPolicy
    even_time: EvenTime
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Begun:
    """A session that waits for its second factor, and the proof of the first."""

    token: str = field(repr=False)
    expires: datetime


class FirstFactor:
    """A refusal says nothing but that, and takes the same time whatever it is for."""

    def __init__(
        self,
        executor: Executor,
        joint: JointExecutor,
        credentials: AgentCredentials,
        session_keys: SessionKeys,
        passwords: Passwords,
        user_names: UserNames,
        rules: SignInRules,
    ) -> None:
        self._executor = executor
        self._joint = joint
        self._credentials = credentials
        self._session_keys = session_keys
        self._passwords = passwords
        self._user_names = user_names
        self._rules = rules

    async def sign_in(self, tenant: str, user_name: str, password: str, known_by: KnownBy) -> Begun:
        """Begin a session. Raises Rejected (SIGN_IN_REFUSED) for every reason alike.

        That a request id was used before, or that others try the same agent at the same time, is
        such a reason: it would tell that there is an agent of that name.
        """
        async with self._rules.even_time.answering():
            try:
                return await self._sign_in(tenant, user_name, password, known_by)
            except (EventIdReused, ConflictPersists):
                raise Rejected("SIGN_IN_REFUSED") from None

    async def _sign_in(
        self, tenant: str, user_name: str, password: str, known_by: KnownBy
    ) -> Begun:
        agent, encoded = await self._credential_of(tenant, user_name)
        proof = await self._passwords.verify(canonical(password), encoded)
        if encoded is None:
            raise Rejected("SIGN_IN_REFUSED")
        request = await known_by(agent, proof.tag)
        now, session = self._rules.now(), f"sessions/{request.ids(0)}"
        done: Jointly[Agent, agents.Event, Session] = await self._joint.execute(
            request,
            Part(stream_of(agent), agents.DECIDER),
            (Part(stream_of(session), sessions.DECIDER),),
            lambda state, others: self._decide(
                state, others[0], right=proof.right, agent=agent, session=session, now=now
            ),
        )
        if not proof.right or not is_verified(done.events):
            raise Rejected("SIGN_IN_REFUSED")
        return await self._begun(tenant, session, agent, now)

    async def _credential_of(self, tenant: str, user_name: str) -> tuple[str, str | None]:
        """Find the agent of a name and the hash of the password; None where there is none."""
        if not await self._credentials.knows_tenant(tenant):
            return "", None
        index = await self._user_names.of_user_name(tenant, agent_names.normal(user_name))
        name = stream_of(f"agentNames/{index}")
        agent = (await self._executor.load(name, agent_names.DECIDER)).state.agent
        kept = await self._credentials.read(tenant, agent, Factor.PASSWORD)
        return agent, None if kept is None else kept.value.decode()

    def _decide(
        self,
        state: Agent,
        waiting: Session,
        *,
        right: bool,
        agent: str,
        session: str,
        now: datetime,
    ) -> Joint[agents.Event, sessions.Event]:
        rules = self._rules
        proven = agents.prove_password(
            state, right=right, session=session, at=now, policy=rules.lockout
        )
        if not is_verified(proven):
            return Joint(proven, ((),))
        started = sessions.start(waiting, agent=agent, at=now, policy=rules.session)
        return Joint(proven, (started,))

    async def _begun(self, tenant: str, session: str, agent: str, now: datetime) -> Begun:
        waiting = (await self._executor.load(stream_of(session), sessions.DECIDER)).state
        policy = self._rules.session
        kept = await self._session_keys.make(
            tenant, session, agent, expires=now + policy.factor_wait + policy.longest, now=now
        )
        return Begun(make_token(TokenKind.FACTOR, tenant, session, 0, kept.key), waiting.expires)


def is_verified(proven: Sequence[agents.Event]) -> bool:
    """Tell whether a factor was right."""
    return any(isinstance(event, events.AgentFactorVerified) for event in proven)
