"""The whole log read from its start, beside the peer's `select_notifications` in pages as large."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from careline.conversations.events.v1.events_pb2 import MessagePosted
from eventsourcing.persistence import ApplicationRecorder, Notification, StoredEvent
from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog
from eventstore.testing.example_events import new_id

from benchmarks.figure import Figure, at_least
from benchmarks.store import peer
from benchmarks.store.database import Database
from benchmarks.store.events import TYPE, new_codec, writes
from benchmarks.store.scale import Scale
from benchmarks.store.turns import Turn, Turns, undisturbed

PAGE: Final = 2_000

_SCHEMA = "whole"
_BATCH = 500
_PEER = f"{peer.NAME} select_notifications, pages of {PAGE:,}"


@dataclass(frozen=True, slots=True)
class Reads:
    """Reads as the two libraries give events, and with each event's message decoded."""

    ours: Turns
    ours_decoded: Turns
    peers: Turns
    peers_decoded: Turns

    def figures(self) -> list[Figure]:
        same = at_least(1.0)
        return [
            Figure(
                "whole-log read, events as the library gives them: ours",
                self.ours.rate,
                "events/s",
                against=_PEER,
                ratio=self.ours.ratio(self.peers),
                target=same,
                spread=self.ours.spread,
            ),
            Figure(
                "whole-log read, messages decoded: ours",
                self.ours_decoded.rate,
                "events/s",
                against=f"{_PEER}, messages decoded",
                ratio=self.ours_decoded.ratio(self.peers_decoded),
                target=same,
                spread=self.ours_decoded.spread,
            ),
            Figure(
                f"whole-log read: {_PEER}", self.peers.rate, "events/s", spread=self.peers.spread
            ),
        ]


async def measure_reads(database: Database, scale: Scale, data: Sequence[bytes]) -> Reads:
    found = Reads(Turns(), Turns(), Turns(), Turns())
    codec = new_codec()
    async with database.log(_SCHEMA) as log:
        with peer.recorder(database.url, "whole", functions=False) as recorder:
            await _fill(log, recorder, scale.events_to_read, data)
            await database.execute(f"analyze {_SCHEMA}.event")
            await database.settle()
            for _ in range(scale.rounds):
                found.ours.add(await _read(log, lambda event: event))
                found.peers.add(await asyncio.to_thread(_read_peer, recorder, lambda one: one))
                found.ours_decoded.add(await _read(log, codec.decode))
                found.peers_decoded.add(await asyncio.to_thread(_read_peer, recorder, _decoded))
    return found


async def _fill(
    log: EventLog, recorder: ApplicationRecorder, count: int, data: Sequence[bytes]
) -> None:
    for start in range(0, count, _BATCH):
        size = min(_BATCH, count - start)
        await log.append(*(own[0] for own in writes(data, size, 1)))
        originator = new_id()
        events = [StoredEvent(originator, n, TYPE, data[n % len(data)]) for n in range(size)]
        await asyncio.to_thread(recorder.insert_events, events)


async def _read(log: EventLog, decode: Callable[[RecordedEvent], object]) -> Turn:
    read = 0
    with undisturbed():
        start = perf_counter()
        async for event in log.read_log():
            decode(event)
            read += 1
        return Turn(read, perf_counter() - start)


def _read_peer(recorder: ApplicationRecorder, decode: Callable[[Notification], object]) -> Turn:
    read, after = 0, 0
    with undisturbed():
        start = perf_counter()
        while page := recorder.select_notifications(after, PAGE, inclusive_of_start=False):
            for notification in page:
                decode(notification)
            read += len(page)
            after = page[-1].id
        return Turn(read, perf_counter() - start)


def _decoded(notification: Notification) -> MessagePosted:
    return MessagePosted.FromString(notification.state)
