"""Users of NATS that federation makes for itself, each for one purpose: the least that it needs.

They are made by the operator's keys and live in memory; what they may do is said here, and nowhere
is there one that may do all of it.
"""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from messaging.accounts import Account, NatsOperator
from messaging.connect import NatsClient, connect
from messaging.names import inbox_prefix
from messaging.partner_account import DURABLE, PartnerStream
from messaging.permissions import Permissions
from runtime.addresses import ServerUrl

_SHORT: Final = timedelta(minutes=1)
_CONNECT_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class NatsUsers:
    """Connects to a server as users of the operator's accounts."""

    operator: NatsOperator
    url: ServerUrl
    ca_file: str | None = None

    @asynccontextmanager
    async def administrator(self) -> AsyncIterator[NatsClient]:
        """Connect as who may tell servers of accounts, for a minute."""
        publish = ("$SYS.REQ.CLAIMS.UPDATE",)
        async with self._user(self.operator.system, "federation-accounts", publish) as client:
            yield client

    @asynccontextmanager
    async def stream_maker(self, stream: PartnerStream) -> AsyncIterator[NatsClient]:
        """Connect as who may make one partner's stream and consumer, for a minute."""
        publish = (
            f"$JS.API.STREAM.CREATE.{stream.stream}",
            f"$JS.API.STREAM.INFO.{stream.stream}",
            f"$JS.API.CONSUMER.CREATE.{stream.stream}.{DURABLE}",
            f"$JS.API.CONSUMER.INFO.{stream.stream}.{DURABLE}",
        )
        async with self._user(self.operator.platform, "federation-streams", publish) as client:
            yield client

    @asynccontextmanager
    async def stream_reader(self, stream: PartnerStream) -> AsyncIterator[NatsClient]:
        """Connect as who may read single messages of one partner's stream, for a minute."""
        publish = (f"$JS.API.STREAM.MSG.GET.{stream.stream}",)
        async with self._user(self.operator.platform, "federation-reader", publish) as client:
            yield client

    @asynccontextmanager
    async def forwarder(self) -> AsyncIterator[NatsClient]:
        """Connect as who may write to partners' streams and see how far they are, but read none."""
        publish = ("fed.>", "$JS.API.STREAM.INFO.*")
        user = self._user(self.operator.platform, "federation-forwarder", publish, for_ever=True)
        async with user as client:
            yield client

    @asynccontextmanager
    async def _user(
        self, account: Account, name: str, publish: tuple[str, ...], *, for_ever: bool = False
    ) -> AsyncIterator[NatsClient]:
        permissions = Permissions(publish, (f"{inbox_prefix(name)}.>",))
        credentials = account.credentials(
            name, permissions, expires=None if for_ever else datetime.now(UTC) + _SHORT
        )
        client = await connect(
            [str(self.url)],
            user=name,
            creds=credentials.text,
            tls=ssl.create_default_context(cafile=self.ca_file) if self.url.encrypted else None,
            within=_CONNECT_SECONDS,
        )
        async with client:
            yield client
