"""What frontends are to send out: what waits, and where it is kept."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whose deliveries: a frontend of a tenant, and which channels of it."""

    tenant: str
    frontend: str
    channels: frozenset[str]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Something to send out, opened. Either `text` of `message`, or a one-time `code`.

    `position` is that of the event that queued it, 0 for a code, which no event has.
    """

    name: str
    conversation: str
    channel: str
    expire_time: datetime
    message: str = ""
    position: int = 0
    address: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    code: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Queued:
    """Which message waits in which conversation, of which tenant."""

    tenant: str
    name: str
    conversation: str


@dataclass(frozen=True, slots=True)
class NewCode:
    """A one-time code to keep until it is sent or ends; `digest` is its request's."""

    name: str
    conversation: str
    channel: str
    frontend: str
    digest: bytes
    expire_time: datetime
    address: str = field(repr=False)
    code: str = field(repr=False)


class Outbox(Protocol):
    """Messages that wait, in order, as the log says."""

    async def waiting(
        self, addressee: Addressee, *, after: int, now: datetime, limit: int
    ) -> tuple[Sequence[Waiting], int]:
        """Give what waits beyond a position, and the position that this reaches."""

    async def find(self, tenant: str, frontend: str, delivery: str) -> Queued | None:
        """Find a message of this frontend that is not done with."""

    async def overdue(self, now: datetime, limit: int) -> Sequence[Queued]:
        """List messages of all tenants that nobody took in time."""


class Codes(Protocol):
    """One-time codes that wait; no log knows them."""

    async def put(self, tenant: str, code: NewCode) -> bool:
        """Keep it; False when another request kept one under this name."""

    async def waiting(
        self, addressee: Addressee, *, now: datetime, without: Collection[str]
    ) -> Sequence[Waiting]:
        """Give what waits except those named."""

    async def take(self, tenant: str, frontend: str, delivery: str) -> bool:
        """Delete address and code; False when this frontend never had it, or it has ended."""

    async def delete_ended(self, now: datetime) -> None:
        """Delete what has ended, of all tenants."""
