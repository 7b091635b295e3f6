"""Agents as operators and supervisors make and change them."""

import secrets
from collections.abc import Awaitable, Callable, Sequence
from hashlib import sha256
from typing import Final

from careline.identity.events.v1 import events_pb2 as events
from eventstore.decider import Rejected
from eventstore.event_log import EventLog
from eventstore.execute import Executor, Request
from eventstore.joint import Joint, JointExecutor, Jointly, Part
from runtime.event_codec import LogCodec

from identity.application.agent_account import (
    AgentDraft,
    AgentView,
    Enrolment,
    PasswordHasher,
    UserNames,
)
from identity.application.credentials import AgentCredentials, Credential
from identity.application.names import stream_of
from identity.application.sessions import Sessions
from identity.domain import agent as domain
from identity.domain import agent_name as agent_names
from identity.domain.agent import Agent, Factor, Status
from identity.domain.agent_name import AgentName
from identity.domain.password_rules import canonical, is_acceptable
from identity.domain.session import End

SEED_BYTES: Final = 20
"""160 bits, what RFC 4226 recommends."""
_SALT_BYTES: Final = 16


class Agents:
    """Use cases within the caller's tenant."""

    def __init__(
        self,
        log: EventLog,
        codec: LogCodec,
        executor: Executor,
        joint: JointExecutor,
        credentials: AgentCredentials,
        hasher: PasswordHasher,
        user_names: UserNames,
        blocked_passwords: frozenset[str],
    ) -> None:
        self._log = log
        self._codec = codec
        self._executor = executor
        self._joint = joint
        self._credentials = credentials
        self._hasher = hasher
        self._user_names = user_names
        self._blocked = blocked_passwords

    async def create(
        self, draft: AgentDraft, known_by: Callable[[bytes], Awaitable[Request]]
    ) -> AgentView:
        """Make an agent. Raises Rejected: PASSWORD_UNACCEPTABLE, NAME_TAKEN.

        `known_by` makes the Request from what stands for the password: nothing to find out the
        agent's name, its hash then. The credential follows the append, so that a request that was
        cut off between the two completes when it is repeated.
        """
        password = canonical(draft.password)
        names = (draft.tenant, draft.user_name, draft.display_name)
        if not is_acceptable(password, blocked=self._blocked, names=names):
            raise Rejected("PASSWORD_UNACCEPTABLE")
        name = f"agents/{(await known_by(b'')).ids(0)}"
        hashed = await self._hasher.hash(password, _salt(draft.tenant, name))
        request = await known_by(hashed.tag)
        done = await self._append(name, draft, request)
        await self._credentials.put(
            draft.tenant,
            name,
            Factor.PASSWORD,
            Credential(hashed.encoded.encode(), request.ids(1)),
            revision=1,
        )
        return await self._view(name, done.state, done.revision, done.position)

    async def enroll_totp(self, name: str, request: Request) -> Enrolment:
        """Give a new authenticator; the same request again gives the same seed.

        Raises Rejected (CONFLICT) when it was replaced since.
        """
        stream, set_by = stream_of(name), request.ids(0)
        done = await self._executor.execute(
            stream, domain.DECIDER, domain.enroll_totp, subject=name, request=request
        )
        fresh = Credential(secrets.token_bytes(SEED_BYTES), set_by)
        await self._credentials.put(stream.tenant, name, Factor.TOTP, fresh, revision=done.revision)
        kept = await self._credentials.read(stream.tenant, name, Factor.TOTP)
        if kept is None or kept.set_by != set_by:
            raise Rejected("CONFLICT")
        view = await self._view(name, done.state, done.revision, done.position)
        return Enrolment(view.user_name, kept.value, done.position)

    async def assign_roles(
        self, name: str, roles: Sequence[str], etag: int | None, request: Request
    ) -> AgentView:
        """Replace the roles. Tokens have the new ones from their next refresh on."""
        done = await self._executor.execute(
            stream_of(name),
            domain.DECIDER,
            lambda agent: domain.assign_roles(agent, roles),
            subject=name,
            request=request,
            expected_etag=etag,
        )
        return await self._view(name, done.state, done.revision, done.position)

    async def suspend(
        self,
        name: str,
        reason: str,
        request: Request,
        *,
        sessions: Sessions,
        ending: Callable[[str], Awaitable[Request]],
    ) -> AgentView:
        """Stop an agent and end the sessions that were opened last.

        From the append on no session can be refreshed, whether ended here or not, so that what an
        agent holds is good for the life of one access token at most. `ending` makes the Request
        of one session's end.
        """
        done = await self._executor.execute(
            stream_of(name),
            domain.DECIDER,
            lambda agent: domain.suspend(agent, reason),
            subject=name,
            request=request,
        )
        for session in done.state.sessions:
            await sessions.end(session, End.SUSPENDED, await ending(session))
        return await self._view(name, done.state, done.revision, done.position)

    async def _append(
        self, name: str, draft: AgentDraft, request: Request
    ) -> Jointly[Agent, domain.Event, AgentName]:
        index = await self._user_names.of_user_name(
            draft.tenant, agent_names.normal(draft.user_name)
        )

        def create(
            agent: Agent, names: Sequence[AgentName]
        ) -> Joint[domain.Event, events.AgentNameClaimed]:
            claimed = agent_names.claim(names[0], name)
            created = domain.create(
                agent,
                user_name=draft.user_name,
                display_name=draft.display_name,
                roles=draft.roles,
            )
            return Joint(created, (claimed,))

        return await self._joint.execute(
            request,
            Part(stream_of(name), domain.DECIDER),
            (Part(stream_of(f"agentNames/{index}"), agent_names.DECIDER),),
            create,
        )

    async def _view(self, name: str, agent: Agent, revision: int, position: int) -> AgentView:
        """Read who the agent is from the event that made him."""
        async for recorded in self._log.read_stream(stream_of(name), limit=1):
            (opened,) = await self._codec.open([recorded])
            created = opened.message
            if isinstance(created, events.AgentCreated):
                return AgentView(
                    name,
                    created.user_name,
                    created.display_name,
                    agent.roles,
                    agent.status is Status.SUSPENDED,
                    revision,
                    recorded.recorded_at,
                    position,
                )
        raise Rejected("DENIED_OR_ABSENT")


def _salt(tenant: str, name: str) -> bytes:
    """Give a salt that no other password has and a repeated request has again."""
    return sha256(f"careline.identity.password\0{tenant}\0{name}".encode()).digest()[:_SALT_BYTES]
