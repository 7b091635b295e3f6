"""Opening a session by a code of the agent's authenticator."""

from collections.abc import Awaitable, Callable
from datetime import datetime

from careline.identity.events.v1 import events_pb2 as events
from eventstore.decider import Rejected
from eventstore.execute import Request
from eventstore.joint import Joint, JointExecutor, Jointly, Part

from identity.application.credentials import AgentCredentials, SessionKeys
from identity.application.first_factor import SignInRules, is_verified
from identity.application.names import stream_of
from identity.application.session_tokens import SessionToken
from identity.application.sessions import Tokens, TokensOfSessions
from identity.domain import agent as agents
from identity.domain import session as sessions
from identity.domain import totp
from identity.domain.agent import Agent, Factor
from identity.domain.session import Session


class SecondFactor:
    """Counts its failures apart from the password's; a lockout ends the session that waited."""

    def __init__(
        self,
        joint: JointExecutor,
        credentials: AgentCredentials,
        session_keys: SessionKeys,
        tokens: TokensOfSessions,
        rules: SignInRules,
    ) -> None:
        self._joint = joint
        self._credentials = credentials
        self._session_keys = session_keys
        self._tokens = tokens
        self._rules = rules

    async def verify(
        self, token: SessionToken, code: str, known_by: Callable[[], Awaitable[Request]]
    ) -> Tokens:
        """Open the session of a token that its key made.

        `known_by` makes the Request once the token is known to hold: not for any tenant that
        somebody writes. Raises Rejected: SIGN_IN_REFUSED, LOCKED_OUT, SESSION_ENDED.
        """
        kept = await self._session_keys.read(token.tenant, token.session)
        if kept is None or not token.holds(kept.key):
            raise Rejected("SIGN_IN_REFUSED")
        now = self._rules.now()
        seed = await self._credentials.read(token.tenant, kept.agent, Factor.TOTP)
        step = None if seed is None else totp.matching_step(seed.value, code, now)
        done: Jointly[Agent, agents.Event, Session] = await self._joint.execute(
            await known_by(),
            Part(stream_of(kept.agent), agents.DECIDER),
            (Part(stream_of(token.session), sessions.DECIDER),),
            lambda agent, others: self._decide(
                agent, others[0], step=step, session=token.session, now=now
            ),
        )
        if not is_verified(done.events):
            raise Rejected("SIGN_IN_REFUSED")
        return await self._tokens.issue(token.tenant, token.session, refreshes=0)

    def _decide(
        self, agent: Agent, waiting: Session, *, step: int | None, session: str, now: datetime
    ) -> Joint[agents.Event, sessions.Event]:
        sessions.require_pending(waiting, now)
        rules = self._rules
        proven = agents.prove_totp(agent, step=step, session=session, at=now, policy=rules.lockout)
        if is_verified(proven):
            opened = sessions.authenticate(waiting, at=now, policy=rules.session)
            return Joint(proven, (opened,))
        is_locked = any(isinstance(event, events.AgentLockedOut) for event in proven)
        end = sessions.End.LOCKED_OUT
        ended = sessions.end(waiting, reason=end, at=now) if is_locked else []
        return Joint(proven, (ended,))
