"""What is said of a restored log, and of what is not restored."""

import json

import pytest
from careline_cli.restored_log import RestoredLog, lines_of
from careline_cli.streams.renewal import Renewal
from eventstore.archive.restore import Restored

STANDS = Renewal(renewed=False, left_out=3, from_position=41)
KEPT = Renewal(renewed=True, left_out=3, from_position=41, kept_in="/data/left-out/routing.jsonl")


def test_nothing_is_said_of_a_stream_that_had_nothing_else() -> None:
    assert list(lines_of("routing", Renewal(renewed=True), None)) == []


@pytest.mark.parametrize(
    ("renewal", "said"), [(STANDS, "--archive-only"), (KEPT, "/data/left-out/routing.jsonl")]
)
def test_what_is_not_restored_is_told_with_its_number_place_and_reason(
    renewal: Renewal, said: str
) -> None:
    first, second = lines_of("routing", renewal, "a gap")
    assert first == ("routing: NOT RESTORED: 3 messages of the stream, from position 41 on (a gap)")
    assert said in second


def test_machines_are_told_what_came_from_where() -> None:
    restored = Restored("routing", 2, 40, 40, 38, streamed=2, tail_ended="a gap")
    told = json.loads(json.dumps(RestoredLog(restored, STANDS, 1.25).as_json()))
    assert told == {
        "log": "routing",
        "epoch": 2,
        "position": 40,
        "events": 40,
        "archived_position": 38,
        "from_archive": 38,
        "from_stream": 2,
        "seconds": 1.25,
        "stream": {"renewed": False, "left_out": 3, "from_position": 41, "kept_in": None},
        "tail_ended": "a gap",
    }
