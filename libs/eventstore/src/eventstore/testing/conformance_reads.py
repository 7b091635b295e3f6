"""Conformance: what reads of a stream and of the log give."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from eventstore.as_of import AsOf
from eventstore.event import RecordedEvent
from eventstore.event_log import EventLog, Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.stream_id import StreamId
from eventstore.testing.example_events import new_event, new_events, new_stream

ANY = ExpectedRevision.ANY
NO_STREAM = ExpectedRevision.NO_STREAM
ODD = "careline.example.v1.Odd"
EVEN = "careline.example.v1.Even"


class ReadConformance:
    """Reads give what was appended, in order, byte for byte, up to where the log is complete."""

    async def test_events_come_back_as_they_were_appended(self, log: EventLog) -> None:
        stream = new_stream()
        contents = (b"", bytes(range(256)), b"\xff" * (1 << 20))
        events = tuple(new_event(data=data) for data in contents)
        await log.append(Write(stream, NO_STREAM, events))

        recorded = [event async for event in log.read_stream(stream)]

        assert [
            (e.id, e.type, e.data, e.metadata, e.digest, e.stream, e.revision) for e in recorded
        ] == [
            (e.id, e.type, e.data, e.metadata, e.digest, stream, revision)
            for revision, e in enumerate(events)
        ]
        age = datetime.now(UTC) - recorded[0].recorded_at
        assert timedelta(minutes=-1) < age < timedelta(minutes=1)

    @pytest.mark.parametrize(
        ("from_revision", "backwards", "limit", "revisions"),
        [
            (0, False, None, [0, 1, 2, 3, 4]),
            (3, False, None, [3, 4]),
            (1, False, 2, [1, 2]),
            (5, False, None, []),
            (0, False, 0, []),
            (0, True, None, [4, 3, 2, 1, 0]),
            (3, True, None, [4, 3]),
            (0, True, 2, [4, 3]),
        ],
    )
    async def test_a_stream_is_read_from_either_end(
        self,
        log: EventLog,
        from_revision: int,
        backwards: bool,
        limit: int | None,
        revisions: list[int],
    ) -> None:
        stream = new_stream()
        await log.append(Write(stream, NO_STREAM, new_events(5)))

        read = log.read_stream(
            stream, from_revision=from_revision, backwards=backwards, limit=limit
        )

        assert [event.revision async for event in read] == revisions

    async def test_a_stream_is_read_as_it_was_at_a_moment(self, log: EventLog) -> None:
        stream = new_stream()
        for _ in range(3):
            await log.append(Write(stream, ANY, new_events(2)))
            await log.append(Write(new_stream(), ANY, new_events(1)))
        events = [event async for event in log.read_stream(stream)]
        third = events[2]

        async def revisions(
            as_of: AsOf,
            *,
            from_revision: int = 0,
            backwards: bool = False,
            limit: int | None = None,
        ) -> list[int]:
            read = log.read_stream(
                stream, from_revision=from_revision, as_of=as_of, backwards=backwards, limit=limit
            )
            return [event.revision async for event in read]

        assert await revisions(AsOf(revision=3)) == [0, 1, 2, 3]
        assert await revisions(AsOf(revision=99)) == [0, 1, 2, 3, 4, 5]
        assert await revisions(AsOf(position=third.position)) == [0, 1, 2]
        assert await revisions(AsOf(position=third.position - 1)) == [0, 1]
        assert await revisions(AsOf(position=0)) == []
        assert await revisions(AsOf(time=events[-1].recorded_at)) == [0, 1, 2, 3, 4, 5]
        assert await revisions(AsOf(time=events[0].recorded_at - timedelta(seconds=1))) == []
        assert await revisions(AsOf(revision=4, position=third.position)) == [0, 1, 2]
        assert await revisions(AsOf(revision=3), backwards=True, limit=2) == [3, 2]
        assert await revisions(AsOf(revision=3), from_revision=2) == [2, 3]
        assert await revisions(AsOf(revision=1), from_revision=2) == []
        assert await revisions(AsOf()) == [0, 1, 2, 3, 4, 5]

    async def test_streams_of_one_name_are_kept_apart_by_tenant(self, log: EventLog) -> None:
        ours, theirs = StreamId("ours", "patients/1"), StreamId("theirs", "patients/1")
        await log.append(Write(ours, NO_STREAM, new_events(2)))
        await log.append(Write(theirs, NO_STREAM, new_events(1)))

        assert [event.revision async for event in log.read_stream(ours)] == [0, 1]
        assert [event.stream async for event in log.read_stream(theirs)] == [theirs]
        assert [event async for event in log.read_stream(StreamId("third", "patients/1"))] == []

    async def test_order_of_the_log_is_order_of_every_stream(self, log: EventLog) -> None:
        streams = [new_stream() for _ in range(4)]
        await asyncio.gather(
            *(
                log.append(Write(stream, ANY, new_events(2)))
                for _ in range(10)
                for stream in streams
            )
        )

        recorded = [event async for event in log.read_log()]

        positions = [event.position for event in recorded]
        assert positions == sorted(set(positions))
        for stream in streams:
            revisions = [event.revision for event in recorded if event.stream == stream]
            assert revisions == list(range(20))

    async def test_every_event_of_the_log_names_the_position_before_it(self, log: EventLog) -> None:
        await self._append_mixed(log, 7)
        recorded = [event async for event in log.read_log()]
        chain = [0, *(event.position for event in recorded)]
        before = {event.position: chain[place] for place, event in enumerate(recorded)}

        reads: list[list[RecordedEvent]] = [
            recorded,
            [event async for event in log.read_log(backwards=True)],
            [event async for event in log.read_log(types={ODD})],
            [event async for event in log.read_log(types={EVEN}, backwards=True, limit=2)],
            [event async for event in log.read_log(after=chain[3], limit=1)],
            [event async for event in log.read_log(after=chain[3] + 1, until=chain[5])],
            [event async for event in log.read_log(after=chain[2], backwards=True)],
            [event async for event in log.read_stream(recorded[2].stream)],
            [event async for event in log.read_stream(recorded[2].stream, backwards=True)],
            await log.recall([event.id for event in recorded[3:]]),
        ]

        for events in reads:
            assert events
            assert [e.previous_position for e in events] == [before[e.position] for e in events]

    async def test_the_log_is_read_between_positions_from_either_end(self, log: EventLog) -> None:
        await self._append_mixed(log, 6)
        all_of_it = [event.position async for event in log.read_log()]

        async def read(**how: int | bool) -> list[int]:
            return [event.position async for event in log.read_log(**how)]  # type: ignore[arg-type] # of the table below

        assert await read(after=all_of_it[1]) == all_of_it[2:]
        assert await read(until=all_of_it[3]) == all_of_it[:4]
        assert await read(after=all_of_it[0], until=all_of_it[4], limit=3) == all_of_it[1:4]
        assert await read(backwards=True) == all_of_it[::-1]
        assert await read(backwards=True, after=all_of_it[1], until=all_of_it[4], limit=2) == [
            all_of_it[4],
            all_of_it[3],
        ]
        assert await read(after=all_of_it[-1]) == []
        assert await read(after=all_of_it[-1] + 1_000) == []
        assert await read(limit=0) == []

    async def test_the_log_is_read_by_types(self, log: EventLog) -> None:
        await self._append_mixed(log, 9)

        assert [e.type async for e in log.read_log(types={ODD})] == [ODD] * 4
        assert len([e async for e in log.read_log(types={ODD, EVEN})]) == 9
        assert len([e async for e in log.read_log(types={EVEN}, limit=3)]) == 3
        assert [e async for e in log.read_log(types={"careline.Unknown"})] == []
        assert [e async for e in log.read_log(types=set())] == []

    async def test_more_than_a_page_comes_whole_and_once(self, log: EventLog) -> None:
        stream = new_stream()
        for _ in range(5):
            await log.append(Write(stream, ANY, new_events(900, EVEN)))
        await log.append(Write(new_stream(), NO_STREAM, new_events(1, ODD)))

        revisions = [event.revision async for event in log.read_stream(stream)]
        down = [event.revision async for event in log.read_stream(stream, backwards=True)]
        positions = [event.position async for event in log.read_log()]
        down_the_log = [event.position async for event in log.read_log(backwards=True)]
        odd = [event async for event in log.read_log(types={ODD})]
        even = [event async for event in log.read_log(types={EVEN}, limit=4_499)]

        assert revisions == list(range(4_500))
        assert down == revisions[::-1]
        assert positions == sorted(set(positions))
        assert len(positions) == 4_501
        assert down_the_log == positions[::-1]
        assert [event.previous_position for event in odd] == [positions[-2]]
        assert len(even) == 4_499

    async def test_the_head_of_a_quiet_log_is_its_last_event(self, log: EventLog) -> None:
        assert (await log.head()).position == 0

        appended = await log.append(Write(new_stream(), NO_STREAM, new_events(3)))

        assert (await log.head()).position == appended.position

    @staticmethod
    async def _append_mixed(log: EventLog, count: int) -> None:
        streams = [new_stream(), new_stream()]
        for turn in range(count):
            event = new_event(ODD if turn % 2 else EVEN)
            await log.append(Write(streams[turn % 3 == 0], ANY, (event,)))
