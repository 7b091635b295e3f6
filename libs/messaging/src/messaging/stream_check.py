"""Compares a log with its stream, message by message, in memory that does not grow with them."""

import hashlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from eventstore.event import RecordedEvent

from messaging.headers import DIGEST, OMITTED, MessageMalformed, digest_text, received_event
from messaging.ranges import Ranges
from messaging.received_event import ReceivedEvent
from messaging.stored_messages import StoredMessage


class Foreign(StrEnum):
    """Why a message is none of the log's events."""

    MALFORMED = "no event that a relay published"
    OTHER_SOURCE = "an event of another service"
    OTHER_EPOCH = "from before the log was restored"
    AHEAD = "beyond the head of the log"
    NOT_IN_LOG = "at a position where the log has no event"
    OTHER_EVENT = "another event than the log has there"
    ALTERED = "the log's event with other bytes or headers"


@dataclass(slots=True)
class Side:
    """What one of the two holds of the stretch that is compared."""

    events: int = 0
    first_position: int = 0
    last_position: int = 0
    _hash: "hashlib._Hash" = field(default_factory=hashlib.sha256)

    @property
    def digest(self) -> str:
        """SHA-256 over position, event id, length and bytes of each event in turn, in hex."""
        return self._hash.hexdigest()

    def add(self, event: RecordedEvent | ReceivedEvent, data: bytes) -> None:
        self.events += 1
        self.first_position = self.first_position or event.position
        self.last_position = event.position
        self._hash.update(event.position.to_bytes(8, "big") + event.id.bytes)
        self._hash.update(len(data).to_bytes(8, "big") + data)


@dataclass(frozen=True, slots=True)
class Stretch:
    """What is compared: the log's events after position `after` up to `head`, in an epoch.

    The stream is known to have had those up to `acknowledged`; behind its last message and that,
    none is missing. Events from before `expired_before` may have left it by age.
    """

    service: str
    epoch: int
    after: int
    acknowledged: int
    head: int
    expired_before: datetime | None = None


@dataclass(slots=True)
class StreamCheck:
    """What a comparison found.

    `missing` are positions of the log, `foreign` sequences of the stream by what they are,
    `expired` counts events that left the stream by age, as they may; the log's side is without.
    `highest_position` is what any message of this epoch says.
    """

    stretch: Stretch
    exists: bool = True
    log: Side = field(default_factory=Side)
    stream: Side = field(default_factory=Side)
    missing: Ranges = field(default_factory=Ranges)
    foreign: dict[Foreign, Ranges] = field(default_factory=dict)
    duplicates: int = 0
    out_of_order: int = 0
    expired: int = 0
    highest_position: int = 0

    @property
    def ok(self) -> bool:
        return (
            self.exists
            and not (self.missing.count or self.foreign or self.duplicates or self.out_of_order)
            and self.log.digest == self.stream.digest
        )

    @property
    def log_went_back(self) -> bool:
        """Whether the stream has what the log of the same epoch lost: it was restored unnoticed."""
        lost = {Foreign.AHEAD, Foreign.NOT_IN_LOG, Foreign.OTHER_EVENT}
        return not lost.isdisjoint(self.foreign)


async def compare(
    stretch: Stretch,
    log: AsyncIterator[RecordedEvent],
    stream: AsyncIterator[StoredMessage],
    progress: Callable[[int], None],
) -> StreamCheck:
    """Compare; `log` gives the stretch's events. `progress` is told each position that is done."""
    comparison = _Comparison(stretch, log, progress)
    async for message in stream:
        await comparison.take(message)
    return await comparison.end()


class _Comparison:
    def __init__(
        self, stretch: Stretch, log: AsyncIterator[RecordedEvent], progress: Callable[[int], None]
    ) -> None:
        self._check = StreamCheck(stretch)
        self._log = log
        self._progress = progress
        self._next: RecordedEvent | None = None
        self._reached = stretch.after

    async def take(self, message: StoredMessage) -> None:
        """Hold a message against the log's next event."""
        event = self._event(message)
        if isinstance(event, Foreign):
            self._strange(event, message)
            return
        self._check.highest_position = max(self._check.highest_position, event.position)
        if event.position <= self._reached:
            if event.position in self._check.missing:
                self._check.out_of_order += 1
            else:
                self._check.duplicates += 1
        elif event.position > self._check.stretch.head:
            self._strange(Foreign.AHEAD, message)
        else:
            await self._match(event, message)

    async def end(self) -> StreamCheck:
        """Take for missing what the log has left of what the stream once had."""
        await self._skip_to(self._check.stretch.acknowledged + 1)
        return self._check

    async def _match(self, event: ReceivedEvent, message: StoredMessage) -> None:
        await self._skip_to(event.position)
        recorded = self._next
        if recorded is None or recorded.position != event.position:
            self._strange(Foreign.NOT_IN_LOG, message)
            return
        self._check.missing.part()
        self._reached = recorded.position
        self._next = None
        data = event.data
        if message.headers.get(OMITTED) == str(len(recorded.data)):
            # Too large for a message: whoever receives it reads it from the log.
            data = recorded.data
        self._check.log.add(recorded, recorded.data)
        self._check.stream.add(event, data)
        if recorded.id != event.id:
            self._strange(Foreign.OTHER_EVENT, message)
        elif not (_is_same(recorded, event, data) and _has_all(recorded, event, message)):
            self._strange(Foreign.ALTERED, message)
        self._progress(recorded.position)

    async def _skip_to(self, position: int) -> None:
        """Go on to the log's first event at or after a position; those before are missing."""
        while True:
            if self._next is None:
                self._next = await anext(self._log, None)
            recorded = self._next
            if recorded is None or recorded.position >= position:
                return
            self._lacks(recorded)
            self._reached = recorded.position
            self._next = None

    def _lacks(self, recorded: RecordedEvent) -> None:
        check, expired_before = self._check, self._check.stretch.expired_before
        at_the_front = not check.stream.events and not check.missing.count
        if at_the_front and expired_before is not None and recorded.recorded_at < expired_before:
            check.expired += 1
            return
        check.log.add(recorded, recorded.data)
        check.missing.add(recorded.position)

    def _event(self, message: StoredMessage) -> ReceivedEvent | Foreign:
        try:
            event = received_event(message.subject, message.headers, message.data)
        except MessageMalformed:
            return Foreign.MALFORMED
        if event.source != self._check.stretch.service:
            return Foreign.OTHER_SOURCE
        if event.epoch != self._check.stretch.epoch:
            return Foreign.OTHER_EPOCH
        return event

    def _strange(self, kind: Foreign, message: StoredMessage) -> None:
        sequences = self._check.foreign.setdefault(kind, Ranges())
        if not sequences.ends_at(message.sequence - 1):
            sequences.part()
        sequences.add(message.sequence)


def _is_same(recorded: RecordedEvent, event: ReceivedEvent, data: bytes) -> bool:
    return (
        recorded.data == data
        and recorded.previous_position == event.previous_position
        and (recorded.type, recorded.stream, recorded.revision)
        == (event.type, event.stream, event.revision)
    )


def _has_all(recorded: RecordedEvent, event: ReceivedEvent, message: StoredMessage) -> bool:
    """Tell whether a message has what a lost log would have back from it, besides its bytes."""
    digest = message.headers.get(DIGEST)
    return (
        event.recorded_at == recorded.recorded_at
        and (event.metadata == recorded.metadata or OMITTED in message.headers)
        # Messages of versions before have none.
        and digest in (None, digest_text(recorded.digest))
    )
