"""The relay to JetStream beside one client's asynchronous publishes of the same messages."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Final

from embedded import NatsServer, NatsTrust, running
from eventstore.event import RecordedEvent
from eventstore.postgres import PostgresEventLog
from messaging.accounts import AccountLimits, NatsOperator
from messaging.connect import NatsClient, connect
from messaging.outgoing import Outgoing, outgoing
from messaging.permissions import Permissions
from messaging.relay import Relay
from messaging.replication import StreamReplication
from messaging.streams import provision
from nats.js import JetStreamContext

from benchmarks.figure import Figure, at_least
from benchmarks.store.database import Database
from benchmarks.store.events import LOG, writes
from benchmarks.store.scale import Scale
from benchmarks.store.turns import Turn, Turns, undisturbed

_RAW_SERVICE: Final = "routing"
_BATCH = 500
# Messages that are synced one by one go out at some 1,000 a second.
_SYNCED_SHARE = 4
_PENDING = 1_024
_MOST_BYTES = 1 << 20
_TIMEOUT_SECONDS = 120.0
_EVERYTHING = Permissions((">",), (">",))


@dataclass(frozen=True, slots=True)
class Relays:
    """`server` says whether the server writes each message through to disk."""

    server: str
    relay: Turns
    raw: Turns

    def figures(self) -> list[Figure]:
        against = f"raw asynchronous publish, {self.server}"
        return [
            Figure(
                f"relay to JetStream, {self.server}",
                self.relay.rate,
                "events/s",
                against=against,
                ratio=self.relay.ratio(self.raw),
                target=at_least(0.8),
                spread=self.relay.spread,
            ),
            Figure(against, self.raw.rate, "events/s", spread=self.raw.spread),
        ]


async def measure_relay(
    database: Database, folder: Path, scale: Scale, data: Sequence[bytes]
) -> list[Figure]:
    """On a server as a platform's, and on one that leaves syncing to the system."""
    synced = await _measure(database, folder / "synced", scale, data, sync_always=True)
    unsynced = await _measure(database, folder / "unsynced", scale, data, sync_always=False)
    return [*synced.figures(), *unsynced.figures()]


async def _measure(
    database: Database, folder: Path, scale: Scale, data: Sequence[bytes], *, sync_always: bool
) -> Relays:
    """In every round the log grows while no relay runs; then it is published both ways."""
    found = Relays("every message synced" if sync_always else "not synced", Turns(), Turns())
    schema = f"relayed_{folder.name}"
    count = scale.events_to_relay // (_SYNCED_SHARE if sync_always else 1)
    async with (
        database.log(schema) as log,
        _nats(folder, sync_always=sync_always) as (client, rival),
    ):
        for _ in range(scale.rounds):
            before = (await log.head()).position
            await _fill(log, count, data)
            events = [event async for event in log.read_log(after=before)]
            found.relay.add(await _relay(database, schema, log, client, events))
            messages = [_as_of(_RAW_SERVICE, event) for event in events]
            found.raw.add(await _publish(rival, messages))
    return found


async def _relay(
    database: Database,
    schema: str,
    log: PostgresEventLog,
    client: NatsClient,
    events: Sequence[RecordedEvent],
) -> Turn:
    """Run a relay until the stream has acknowledged the log's newest events."""
    async with database.engine() as engine:
        replication = StreamReplication(engine, schema)
        relay = Relay(log, engine, schema, LOG, client, replication=replication)
        with undisturbed():
            start = perf_counter()
            running_relay = asyncio.create_task(relay.run())
            try:
                async with asyncio.timeout(_TIMEOUT_SECONDS):
                    await replication.replicated(events[-1].position)
                return Turn(len(events), perf_counter() - start)
            finally:
                running_relay.cancel()
                await asyncio.gather(running_relay, return_exceptions=True)


async def _publish(client: NatsClient, messages: Sequence[Outgoing]) -> Turn:
    """Publish each message by itself, many before the first is acknowledged."""
    js = JetStreamContext(client, publish_async_max_pending=_PENDING)
    with undisturbed():
        start = perf_counter()
        acknowledged = [
            await js.publish_async(
                message.subject, message.data, wait_stall=_TIMEOUT_SECONDS, headers=message.headers
            )
            for message in messages
        ]
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await asyncio.gather(*acknowledged)
        return Turn(len(messages), perf_counter() - start)


def _as_of(service: str, event: RecordedEvent) -> Outgoing:
    return outgoing(service, 1, event, max_bytes=_MOST_BYTES)


async def _fill(log: PostgresEventLog, count: int, data: Sequence[bytes]) -> None:
    for start in range(0, count, _BATCH):
        size = min(_BATCH, count - start)
        await log.append(*(own[0] for own in writes(data, size, 1)))


@asynccontextmanager
async def _nats(folder: Path, *, sync_always: bool) -> AsyncIterator[tuple[NatsClient, NatsClient]]:
    """Run a server with a stream for each of two clients."""
    operator = NatsOperator.generate()
    accounts = {
        operator.system.public: operator.account_jwt(operator.system, limits=AccountLimits()),
        operator.platform.public: operator.platform_jwt(),
    }
    trust = NatsTrust(operator.operator_jwt(), operator.system.public, accounts)
    async with running(NatsServer(folder, trust, sync_always=sync_always)) as server:

        async def connected(user: str) -> NatsClient:
            creds = operator.platform.credentials(user, _EVERYTHING)
            return await connect([server.url], user=creds.user, creds=creds.text)

        async with await connected("relay") as client, await connected("rival") as rival:
            await provision(client.jetstream(), [LOG, _RAW_SERVICE], [])
            yield client, rival
