"""What a comparison of log and stream tells apart."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from careline_cli.streams.report import as_json, faults
from eventstore.event import RecordedEvent
from messaging.outgoing import outgoing
from messaging.ranges import Ranges
from messaging.stored_messages import StoredMessage
from messaging.stream_check import Foreign, StreamCheck, Stretch, compare
from unit.messaging.test_headers import EVENT

SERVICE = "conversations"
LATER = EVENT.recorded_at + timedelta(microseconds=1)
LOG = [
    EVENT._replace(position=10 * n, previous_position=10 * (n - 1), revision=n, id=UUID(int=n))
    for n in range(1, 8)
]


def stored(*events: RecordedEvent, epoch: int = 1, max_bytes: int = 1 << 20) -> list[StoredMessage]:
    """Give events as a stream holds them, in sequences from 1 on."""
    made = (outgoing(SERVICE, epoch, event, max_bytes=max_bytes) for event in events)
    return [
        StoredMessage(n, one.subject, one.headers, one.data) for n, one in enumerate(made, start=1)
    ]


async def checked(
    messages: Iterable[StoredMessage], *, log: Iterable[RecordedEvent] = LOG, **stretch: object
) -> StreamCheck:
    async def each(items: Iterable[object]) -> AsyncIterator[object]:
        for one in items:
            yield one

    whole = Stretch(SERVICE, 1, after=0, acknowledged=70, head=70)
    return await compare(
        replace(whole, **stretch),  # type: ignore[arg-type] # fields of it
        each(log),  # type: ignore[arg-type] # what it is handed
        each(messages),  # type: ignore[arg-type] # the same
        lambda _: None,
    )


async def test_equal_ones_have_one_digest() -> None:
    check = await checked(stored(*LOG))
    assert check.ok
    assert check.log.digest == check.stream.digest
    assert list(faults(check)) == []


async def test_what_is_missing_is_told_as_stretches_of_the_log() -> None:
    check = await checked(stored(LOG[0], LOG[3], LOG[5]))
    assert check.missing.ranges == [(20, 30), (50, 50), (70, 70)]
    assert as_json(check)["missing_events"] == 4
    assert list(faults(check)) == [
        "the stream of conversations lacks 4 events, at positions 20-30, 50, 70",
        "services may go on meanwhile: careline streams rebuild --service conversations",
    ]


async def test_what_is_still_to_be_published_is_not_missing() -> None:
    assert (await checked(stored(*LOG[:4]), acknowledged=40)).ok
    assert (await checked(stored(*LOG[:4]), acknowledged=0)).ok
    assert not (await checked(stored(*LOG[:4]), acknowledged=50)).ok


async def test_old_events_may_have_left_at_the_front_and_nowhere_else() -> None:
    later = EVENT.recorded_at + timedelta(seconds=1)
    front = await checked(stored(*LOG[2:]), expired_before=later)
    assert front.ok
    assert front.expired == 2
    assert front.log.events == 5
    assert not (await checked(stored(*LOG[2:]), expired_before=EVENT.recorded_at)).ok
    assert not (await checked(stored(*LOG[:2], *LOG[3:]), expired_before=later)).ok


async def test_doubled_and_late_events_are_counted() -> None:
    doubled = await checked(stored(*LOG[:3], LOG[1], LOG[2], *LOG[3:]))
    assert (doubled.duplicates, doubled.out_of_order) == (2, 0)
    late = await checked(stored(LOG[0], *LOG[2:], LOG[1]))
    assert (late.duplicates, late.out_of_order) == (0, 1)
    assert not doubled.ok
    assert not late.ok


@pytest.mark.parametrize(
    ("strange", "kind", "went_back"),
    [
        (stored(LOG[3]._replace(id=UUID(int=99)))[0], Foreign.OTHER_EVENT, True),
        (stored(LOG[3]._replace(data=b"else"))[0], Foreign.ALTERED, False),
        (stored(LOG[3]._replace(previous_position=20))[0], Foreign.ALTERED, False),
        (stored(LOG[3]._replace(digest=b"else"))[0], Foreign.ALTERED, False),
        (stored(LOG[3]._replace(metadata=b""))[0], Foreign.ALTERED, False),
        (stored(LOG[3]._replace(recorded_at=LATER))[0], Foreign.ALTERED, False),
        (stored(LOG[3]._replace(position=35))[0], Foreign.NOT_IN_LOG, True),
        (stored(LOG[3]._replace(position=71))[0], Foreign.AHEAD, True),
        (stored(LOG[3], epoch=2)[0], Foreign.OTHER_EPOCH, False),
        (StoredMessage(1, "careline.demo.x.y.Z", {}, b""), Foreign.MALFORMED, False),
    ],
)
async def test_what_does_not_belong_there_is_told_by_what_it_is(
    strange: StoredMessage, kind: Foreign, went_back: bool
) -> None:
    messages = stored(*LOG)
    messages[3] = replace(strange, sequence=4)
    check = await checked(messages)
    assert {one: found.ranges for one, found in check.foreign.items()} == {kind: [(4, 4)]}
    assert check.log_went_back is went_back
    assert not check.ok


async def test_an_event_too_large_for_a_message_is_equal_by_its_length() -> None:
    large = LOG[0]._replace(data=bytes(5000))
    assert (await checked(stored(large, max_bytes=4000), log=[large], acknowledged=10)).ok
    shorter = LOG[0]._replace(data=bytes(4999))
    assert not (await checked(stored(shorter, max_bytes=4000), log=[large], acknowledged=10)).ok


def test_ranges_keep_a_thousand_and_count_all() -> None:
    ranges = Ranges()
    for number in range(0, 4000, 2):
        ranges.part()
        ranges.add(number)
    assert len(ranges.ranges) == 1000
    assert ranges.count == 2000
    assert 4 in ranges
    assert 5 not in ranges
