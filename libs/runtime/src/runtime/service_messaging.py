"""A service's side of NATS: one connection, its relay, its consumers; NATS may come and go."""

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from eventstore.backoff import Backoff
from eventstore.event_log import EventLog
from messaging.connect import (
    ConnectionClosed,
    CredentialsRefused,
    NatsClient,
    NatsUnavailable,
    connect,
)
from messaging.consumer import Consumer
from messaging.handling import Handler, Handling, Retract
from messaging.log_reader import LogReader
from messaging.names import Consumption
from messaging.relay import Relay
from messaging.replication import StreamReplication
from sqlalchemy.ext.asyncio import AsyncEngine

from runtime.addresses import ServerUrl
from runtime.incident import type_name
from runtime.reactions import Reaction
from runtime.telemetry.event_spans import EventSpans
from runtime.vault.errors import VaultUnavailable

_log = logging.getLogger(__name__)
_BACKOFF: Final = Backoff(first=0.5, longest=15.0)
_PROBE_SECONDS: Final = 2


class NatsAway(Exception):
    """There is no connection to NATS now; it is tried again and again."""


@dataclass(frozen=True, slots=True)
class NatsAccess:
    """Where NATS is and how this service connects; the credentials are read at each connect."""

    url: ServerUrl
    credentials: Callable[[], Awaitable[str]]
    ca_file: str | None = None

    def tls(self) -> ssl.SSLContext | None:
        if not self.url.encrypted:
            return None
        return ssl.create_default_context(cafile=self.ca_file)


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a service consumes: whose events, for which purpose, with what, and who fills gaps.

    `retract` undoes what was done for events that a restored log lost.
    """

    source: str
    purpose: str
    handler: Handler
    reader: LogReader
    retract: Retract | None = None


@dataclass(slots=True)
class ServiceMessaging:
    """Runs the relay of a service's log and its consumers, whenever NATS is there.

    A service starts and serves without NATS: its log keeps what is to be published. `relays` (one)
    and `consumers` are those of the last connection, for whoever observes them.
    """

    service: str
    access: NatsAccess
    log: EventLog
    engine: Callable[[int], AsyncEngine]
    """Makes an engine with that many connections."""
    spans: EventSpans
    replication: StreamReplication | None = None
    subscriptions: list[Subscription] = field(default_factory=list)
    relays: list[Relay] = field(default_factory=list)
    consumers: list[Consumer] = field(default_factory=list)
    _client: NatsClient | None = None

    async def run(self) -> None:
        """Publish and consume without end."""
        engine = self.engine(2 * len(self.subscriptions) + 3)
        failures = 0
        while True:
            try:
                client = await self._connect()
            except (NatsUnavailable, CredentialsRefused, VaultUnavailable) as error:
                _log.warning("no connection to NATS", extra={"error": type_name(error)})
                failures += 1
                await asyncio.sleep(_BACKOFF.after(failures))
                continue
            failures = 0
            try:
                await self._work(client, engine)
            except* ConnectionClosed:
                _log.warning("NATS ended the connection")
            finally:
                self._client = None
                await client.close()

    async def probe(self) -> None:
        """Raise NatsAway, or what the client raises, unless NATS answers."""
        client = self._client
        if client is None or not client.is_connected:
            raise NatsAway("no connection to NATS; check that it runs")
        await client.flush(_PROBE_SECONDS)

    async def _connect(self) -> NatsClient:
        credentials = await self.access.credentials()
        client = await connect(
            [str(self.access.url)], user=self.service, creds=credentials, tls=self.access.tls()
        )
        self._client = client
        return client

    async def _work(self, client: NatsClient, engine: AsyncEngine) -> None:
        relay = Relay(
            self.log,
            engine,
            self.service,
            self.service,
            client,
            replication=self.replication,
            around=self.spans.sending,
        )
        self.relays[:] = [relay]
        self.consumers[:] = [self._consumer(one, client, engine) for one in self.subscriptions]
        async with asyncio.TaskGroup() as group:
            group.create_task(relay.run())
            for consumer in self.consumers:
                group.create_task(consumer.run())

    def _consumer(
        self, subscription: Subscription, client: NatsClient, engine: AsyncEngine
    ) -> Consumer:
        consumption = Consumption(self.service, subscription.source, subscription.purpose)
        reaction = Reaction(self.spans, self.service, consumption.durable)
        handling = Handling(
            self.service, subscription.handler, reaction.around, retract=subscription.retract
        )
        return Consumer(engine, self.service, client, consumption, handling, subscription.reader)
