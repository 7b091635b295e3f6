"""What credentials the use cases need kept, and where: in rows, never in events (ADR 9)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from identity.domain.agent import Factor


@dataclass(frozen=True, slots=True)
class Credential:
    """A password's hash or an authenticator's seed, and the event that it belongs to."""

    value: bytes = field(repr=False)
    set_by: UUID


class AgentCredentials(Protocol):
    """Credentials of agents, sealed under the agent's key."""

    async def knows_tenant(self, tenant: str) -> bool:
        """Tell whether the tenant has agents, without making anything for one that has not."""

    async def read(self, tenant: str, agent: str, factor: Factor) -> Credential | None: ...

    async def put(
        self, tenant: str, agent: str, factor: Factor, credential: Credential, revision: int
    ) -> None:
        """Keep it unless one of a later revision of the agent is kept."""


@dataclass(frozen=True, slots=True)
class SessionKey:
    """The key that a session's tokens are made with, and whose session it is."""

    agent: str
    key: bytes = field(repr=False)


class SessionKeys(Protocol):
    """Keys of sessions, sealed under the agent's key."""

    async def read(self, tenant: str, session: str) -> SessionKey | None: ...

    async def make(
        self, tenant: str, session: str, agent: str, *, expires: datetime, now: datetime
    ) -> SessionKey:
        """Give the session's key, making it the first time; keys that expired go."""
