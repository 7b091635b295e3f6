"""Open sessions: their tokens, their refreshing and their end."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from careline.identity.events.v1 import events_pb2 as events
from eventstore.decider import Rejected
from eventstore.execute import Executor, Request
from runtime.principal import Principal, PrincipalKind

from identity.application.access_tokens import AccessToken, AccessTokens
from identity.application.credentials import SessionKeys
from identity.application.names import stream_of
from identity.application.session_tokens import SessionToken, TokenKind, make_token
from identity.domain import agent as agents
from identity.domain import session as sessions
from identity.domain.agent import Status
from identity.domain.session import End, SessionPolicy


@dataclass(frozen=True, slots=True)
class Tokens:
    """What a session is gone on with."""

    agent: str
    access: AccessToken
    refresh: str = field(repr=False)
    session_expires: datetime


class TokensOfSessions:
    """Issues the tokens of a session as it stands.

    An access token lives for `access` and no longer than its session. A session that ends sooner
    ends its last access token at that time at the latest: revocation is bounded by `access`.
    """

    def __init__(
        self,
        executor: Executor,
        session_keys: SessionKeys,
        access_tokens: AccessTokens,
        *,
        access: timedelta,
        now: Callable[[], datetime],
    ) -> None:
        self._executor = executor
        self._session_keys = session_keys
        self._access_tokens = access_tokens
        self._access = access
        self._now = now

    async def issue(self, tenant: str, name: str, *, refreshes: int) -> Tokens:
        """Issue the tokens that follow the `refreshes`-th refresh.

        Raises Rejected (SESSION_ENDED) when the session is not open, or has been refreshed since:
        a request repeated so late would be given a refresh token that was used.
        """
        session = (await self._executor.load(stream_of(name), sessions.DECIDER)).state
        kept = await self._session_keys.read(tenant, name)
        left = session.expires - self._now()
        is_open = session.status is sessions.Status.OPEN and session.refreshes == refreshes
        if not is_open or kept is None or left <= timedelta(0):
            raise Rejected("SESSION_ENDED")
        agent = (await self._executor.load(stream_of(session.agent), agents.DECIDER)).state
        if agent.status is not Status.ACTIVE:
            raise Rejected("SESSION_ENDED")
        principal = Principal(
            PrincipalKind.AGENT,
            session.agent,
            frozenset({tenant}),
            roles=frozenset(agent.roles),
            session=name.removeprefix("sessions/"),
        )
        lifetime = max(min(self._access, left), timedelta(seconds=1))
        access = await self._access_tokens.issue(principal, lifetime)
        refresh = make_token(TokenKind.REFRESH, tenant, name, refreshes, kept.key)
        return Tokens(session.agent, access, refresh, session.expires)


class Sessions:
    """Refreshes and ends sessions."""

    def __init__(
        self,
        executor: Executor,
        session_keys: SessionKeys,
        tokens: TokensOfSessions,
        *,
        policy: SessionPolicy,
        now: Callable[[], datetime],
    ) -> None:
        self._executor = executor
        self._session_keys = session_keys
        self._tokens = tokens
        self._policy = policy
        self._now = now

    async def refresh(
        self, token: SessionToken, known_by: Callable[[], Awaitable[Request]]
    ) -> Tokens:
        """Count a refresh token, and issue the next tokens.

        `known_by` makes the Request once the token is known to hold. Raises Rejected
        (SESSION_ENDED), having ended the session if it was still open: when the token was used
        before, the session is idle or too old, or its agent suspended.
        """
        kept = await self._session_keys.read(token.tenant, token.session)
        if kept is None or not token.holds(kept.key):
            raise Rejected("SESSION_ENDED")
        now, name = self._now(), stream_of(token.session)
        agent = (await self._executor.load(stream_of(kept.agent), agents.DECIDER)).state
        done = await self._executor.execute(
            name,
            sessions.DECIDER,
            lambda state: sessions.refresh(
                state,
                presented=token.number,
                active_agent=agent.status is Status.ACTIVE,
                at=now,
                policy=self._policy,
            ),
            subject=token.session,
            request=await known_by(),
        )
        if not any(isinstance(event, events.SessionRefreshed) for event in done.events):
            raise Rejected("SESSION_ENDED")
        return await self._tokens.issue(token.tenant, token.session, refreshes=done.state.refreshes)

    async def end(self, session: str, reason: End, request: Request) -> int:
        """End a session; gives the log's position. One that has ended stays so."""
        now = self._now()
        done = await self._executor.execute(
            stream_of(session),
            sessions.DECIDER,
            lambda state: sessions.end(state, reason=reason, at=now),
            subject=session,
            request=request,
        )
        return done.position
