"""The verdict of a drill: each fault that it knows, planted, and each allowance."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import pytest
from careline_cli.drill.journals import Acknowledged, Journals
from careline_cli.drill.verdict import Afterwards, Found, Kill, Promise, Verdict, judge
from eventstore.durability import Durability

WRITES: Final = 100
KILLED_AT: Final = 1_000.0
KILL: Final = Kill(at=KILLED_AT, time=KILLED_AT, asked_rate=WRITES)
EVERYTHING_RELAYED: Final = Promise(relayed={"conversations": WRITES})


def acknowledged(position: int) -> Acknowledged:
    """One of a hundred writes, evenly spread over the second before the kill."""
    at = KILLED_AT - (WRITES - position) / WRITES
    return Acknowledged(
        event_id=f"event-{position}",
        log="conversations",
        stream=f"conversations/{position % 10}",
        revision=position // 10,
        position=position,
        durability=Durability.REPLICATED if position % 10 == 0 else Durability.LOCAL,
        at=at,
        time=at,
        content=f"content-{position}",
    )


def journals_of(writes: Sequence[Acknowledged]) -> Journals:
    return Journals(asked={one.event_id: one.content for one in writes}, acknowledged=list(writes))


def found_of(write: Acknowledged) -> Found:
    return Found(
        write.event_id, write.log, write.position, write.stream, write.revision, write.content
    )


@pytest.fixture
def writes() -> list[Acknowledged]:
    return [acknowledged(position) for position in range(1, WRITES + 1)]


def judged(
    writes: Sequence[Acknowledged],
    found: Sequence[Found],
    promise: Promise = EVERYTHING_RELAYED,
) -> Verdict:
    return judge(journals_of(writes), KILL, promise, Afterwards(found))


def without(writes: Sequence[Acknowledged], *positions: int) -> list[Found]:
    return [found_of(one) for one in writes if one.position not in positions]


def test_a_drill_that_kept_everything_passes(writes: list[Acknowledged]) -> None:
    verdict = judged(writes, without(writes))

    assert verdict.passed
    assert verdict.acknowledged == {"LOCAL": 90, "REPLICATED": 10}
    assert verdict.lost == {"LOCAL": 0, "REPLICATED": 0}
    assert (verdict.rpo_seconds, verdict.newest_lost_age_seconds) == (0.0, None)


def test_a_lost_replicated_write_fails_it_wherever_the_relay_was(
    writes: list[Acknowledged],
) -> None:
    verdict = judged(writes, without(writes, 90), Promise(relayed={"conversations": 0}))

    assert verdict.lost == {"LOCAL": 0, "REPLICATED": 1}
    assert verdict.reasons == ("1 REPLICATED writes are lost",)


def test_a_lost_local_write_that_the_relay_had_passed_fails_it(
    writes: list[Acknowledged],
) -> None:
    verdict = judged(writes, without(writes, 95, 99), Promise(relayed={"conversations": 95}))

    assert verdict.reasons == ("1 LOCAL writes are lost that were safe elsewhere at the kill",)


def test_lost_local_writes_that_the_relay_had_not_passed_are_counted_and_aged(
    writes: list[Acknowledged],
) -> None:
    verdict = judged(writes, without(writes, 95, 99), Promise(relayed={"conversations": 94}))

    assert verdict.passed
    assert verdict.lost == {"LOCAL": 2, "REPLICATED": 0}
    assert verdict.rpo_seconds == pytest.approx(0.05)
    assert verdict.newest_lost_age_seconds == pytest.approx(0.01)


def test_a_log_that_lost_no_database_must_have_every_write(writes: list[Acknowledged]) -> None:
    assert not judged(writes, without(writes, 99), Promise()).passed


def test_a_write_from_before_the_asked_point_in_time_must_be_there(
    writes: list[Acknowledged],
) -> None:
    point = acknowledged(50).time
    kept = [found_of(one) for one in writes if one.time <= point]

    back = judged(writes, kept, Promise(until=point))
    missing = judged(writes, kept[:-2] + kept[-1:], Promise(until=point))

    assert back.passed
    assert back.given_up == 50
    assert missing.reasons == ("1 LOCAL writes from before the asked point in time are missing",)


def test_an_event_that_is_there_twice_fails_it(writes: list[Acknowledged]) -> None:
    found = without(writes)
    again = replace(found[-1], event_id="event-of-a-retry", position=101, revision=11)
    journals = journals_of(writes)
    journals.asked["event-of-a-retry"] = found[-1].content or ""

    verdict = judge(journals, KILL, EVERYTHING_RELAYED, Afterwards([*found, again]))

    assert verdict.doubled == 1
    assert not verdict.passed


def test_an_event_at_another_place_than_was_acknowledged_fails_it(
    writes: list[Acknowledged],
) -> None:
    found = without(writes)
    moved = [replace(found[0], position=2), replace(found[1], position=1), *found[2:]]

    verdict = judged(writes, moved)

    assert verdict.reordered == 2
    assert not verdict.passed


def test_a_breach_of_a_streams_order_anywhere_in_the_log_fails_it(
    writes: list[Acknowledged],
) -> None:
    afterwards = Afterwards(without(writes), breaches=1)

    assert not judge(journals_of(writes), KILL, EVERYTHING_RELAYED, afterwards).passed


def test_what_opens_of_an_erased_patient_fails_it(writes: list[Acknowledged]) -> None:
    erased = Promise(erased=frozenset({"conversations/1"}))
    found = without(writes)
    closed = [
        replace(one, content=None) if one.stream == "conversations/1" else one for one in found
    ]

    assert judged(writes, found, erased).readable_after_erasure == 10
    assert not judged(writes, found, erased).passed
    assert judged(writes, closed, erased).passed


def test_an_erasure_that_left_nothing_to_try_proves_nothing(writes: list[Acknowledged]) -> None:
    erased = Promise(erased=frozenset({"conversations/unknown"}))

    assert judged(writes, without(writes), erased).reasons == (
        "no event of the erased patient is there to be tried",
    )


def test_what_does_not_open_though_nobody_erased_it_fails_it(
    writes: list[Acknowledged],
) -> None:
    found = without(writes)
    verdict = judged(writes, [replace(found[0], content=None), *found[1:]])

    assert verdict.unreadable == 1
    assert not verdict.passed


def test_other_content_than_was_appended_fails_it(writes: list[Acknowledged]) -> None:
    found = without(writes)
    verdict = judged(writes, [replace(found[0], content="other"), *found[1:]])

    assert verdict.altered == 1
    assert not verdict.passed


@pytest.mark.parametrize("stopped_before", [0.5, 2.0])
def test_a_kill_without_load_in_flight_fails_it(
    writes: list[Acknowledged], stopped_before: float
) -> None:
    late = Kill(KILLED_AT + stopped_before, KILLED_AT + stopped_before, WRITES)
    verdict = judge(journals_of(writes), late, EVERYTHING_RELAYED, Afterwards(without(writes)))

    assert verdict.rate < WRITES
    assert len(verdict.reasons) == 1
    assert "in flight" in verdict.reasons[0]


def test_a_write_that_was_never_answered_is_neither_lost_nor_in_the_way(
    writes: list[Acknowledged],
) -> None:
    journals = journals_of(writes)
    journals.asked |= {"event-unanswered": "content-unanswered", "event-gone": "content-gone"}
    landed = Found(
        "event-unanswered", "conversations", 101, "conversations/1", 10, "content-unanswered"
    )

    verdict = judge(journals, KILL, EVERYTHING_RELAYED, Afterwards([*without(writes), landed]))

    assert verdict.passed
    assert verdict.lost == {"LOCAL": 0, "REPLICATED": 0}


def test_a_stream_that_differs_or_older_events_that_do_fail_it(
    writes: list[Acknowledged],
) -> None:
    other = Afterwards(without(writes), preloaded_intact=False, streams_differ=("routing",))
    verdict = judge(journals_of(writes), KILL, EVERYTHING_RELAYED, other)

    assert verdict.reasons == (
        "events from before the load are missing or others",
        "the stream of routing differs from its log",
    )
