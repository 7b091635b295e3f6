"""What sending codes needs: an outbox that delivers them, and rows that keep their HMAC."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CodeToDeliver:
    """A code and where it goes to: an address as "+" and digits."""

    conversation: str
    channel: str
    address: str = field(repr=False)
    code: str = field(repr=False)
    expires: datetime


class CodeUndeliverable(Exception):
    """Nobody can deliver by this channel in this conversation."""


class CodeDelivery(Protocol):
    """Puts a code into the outbox of the frontend that serves a channel, and of nobody else."""

    async def enqueue(self, code: CodeToDeliver) -> None:
        """Hand it over; raises CodeUndeliverable, or AioRpcError when the outbox is away."""


class CodeMacs(Protocol):
    """Keeps codes as HMACs, and makes these."""

    async def mac(self, tenant: str, *bound_to: str) -> bytes:
        """Give the HMAC of a code and all that it is bound to, in order."""

    async def claim(
        self,
        tenant: str,
        code: str,
        mac: bytes,
        *,
        expires: datetime,
        now: datetime,
        stale: datetime,
    ) -> bool:
        """Keep a newly drawn code, unless it was handed over, or was drawn after `stale`."""

    async def is_handed_over(self, tenant: str, code: str) -> bool: ...

    async def handed_over(self, tenant: str, code: str, mac: bytes) -> None: ...

    async def release(self, tenant: str, code: str, mac: bytes) -> None:
        """Leave a drawn code that was not handed over to the next who asks."""

    async def read(self, tenant: str, code: str) -> bytes | None: ...

    async def forget(self, tenant: str, code: str) -> None: ...
