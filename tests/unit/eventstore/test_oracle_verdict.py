from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eventstore.testing.example_events import new_id
from eventstore.testing.oracle.journal import Journal, read_journals
from eventstore.testing.oracle.report import Followed, Report
from eventstore.testing.oracle.request import content_of
from eventstore.testing.oracle.verdict import Recorded, judge_answers, judge_follower, judge_log


def recorded(position: int, stream: str, revision: int) -> Recorded:
    event_id = new_id()
    return Recorded(position, stream, revision, event_id, content_of(event_id))


LOG = [recorded(1, "a", 0), recorded(2, "b", 0), recorded(5, "a", 1), recorded(6, "b", 1)]
ONE, TWO = str(LOG[0].event_id), str(LOG[2].event_id)


def test_a_dense_log_in_order_is_found_right() -> None:
    assert judge_log(LOG) == {}


@pytest.mark.parametrize(
    "log",
    [
        [LOG[2], LOG[1], LOG[0], LOG[3]],
        [LOG[0], LOG[1], LOG[3], recorded(7, "a", 2)],
        [*LOG, recorded(7, "a", 1)],
        [recorded(1, "a", 1)],
    ],
    ids=["order of the stream", "a missing revision", "a doubled revision", "no beginning"],
)
def test_a_stream_out_of_order_is_found(log: list[Recorded]) -> None:
    assert judge_log(log)["revision out of order or missing"] > 0


def test_other_bytes_are_found() -> None:
    assert judge_log([replace(LOG[0], data=b"else")]) == {"other bytes": 1}


@pytest.mark.parametrize(
    ("seen", "exact"),
    [
        ([(1, 0, 0), (2, 1, 1), (5, 2, 2), (6, 3, 5)], True),
        ([(1, 0, 0), (5, 2, 2), (6, 3, 5)], False),
        ([(1, 0, 0), (5, 2, 2), (2, 1, 1), (6, 3, 5)], False),
        ([(1, 0, 0), (2, 1, 1), (2, 1, 1), (5, 2, 2), (6, 3, 5)], False),
        ([(1, 0, 0), (2, 1, 1), (5, 2, 1), (6, 3, 5)], False),
        ([(1, 0, 0), (2, 1, 1), (3, 0, 2), (5, 2, 2), (6, 3, 5)], False),
    ],
    ids=["exact", "missed", "out of order", "twice", "wrong position before", "never there"],
)
def test_what_a_follower_saw_is_held_against_the_log(
    tmp_path: Path, seen: list[tuple[int, int, int]], exact: bool
) -> None:
    journal = Journal(tmp_path, "fenced")
    for position, place, previous in seen:
        journal.write(position, str(LOG[place].event_id), previous)
    journal.close()

    assert judge_follower(LOG, tmp_path, "fenced").is_exact is exact


@pytest.mark.parametrize(
    ("expected", "ids", "told", "wrong"),
    [
        (-1, [ONE, TWO], [["landed", 5, [1]]], None),
        (-2, [ONE, TWO], [["landed", 5, [1]], ["landed", 5, [1]]], None),
        (-1, [ONE, TWO], [["unknown"]], None),
        (-1, [ONE, TWO], [], None),
        (0, [TWO], [["landed", 5, [1]]], None),
        (-4, [TWO], [["landed", 5, [1]]], None),
        (-1, ["absent"], [["refused", "RevisionConflict"]], None),
        (-1, ["absent"], [["rolled back"]], None),
        (-1, ["absent"], [["landed", 5, [1]]], "acknowledged but missing"),
        (-1, [ONE, TWO], [["landed", 6, [1]]], "acknowledged elsewhere than it is"),
        (-1, [ONE, TWO], [["landed", 5, [2]]], "acknowledged elsewhere than it is"),
        (-1, [ONE, "absent"], [["unknown"]], "landed in part"),
        (-1, [ONE, TWO], [["refused", "RevisionConflict"]], "refused but there"),
        (-1, [ONE, TWO], [["rolled back"]], "refused but there"),
        (-4, [ONE, TWO], [["landed", 5, [1]]], "landed out of place"),
        (3, [TWO], [["landed", 5, [1]]], "landed out of place"),
        (-1, [TWO, ONE], [["landed", 5, [1]]], "landed out of place"),
    ],
)
def test_what_a_writer_was_told_is_held_against_the_log(
    tmp_path: Path, expected: int, ids: list[str], told: list[list[Any]], wrong: str | None
) -> None:
    journal = Journal(tmp_path, "writer")
    journal.write("asked", 0, [["a", expected, ids]])
    for kind, *rest in told:
        journal.write(kind, 0, *rest)
    journal.close()

    answers, bad = judge_answers(LOG, tmp_path)

    assert bad == ({} if wrong is None else {wrong: 1})
    assert answers.total() == max(len(told), 1)


def test_a_line_cut_off_by_a_kill_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "writer-1.jsonl").write_text('["asked", 0]\n["landed", 0')

    assert list(read_journals(tmp_path, "writer")) == [[["asked", 0]]]


def test_a_run_passes_only_if_its_control_lost_events() -> None:
    exact, lossy = Followed(4, 0, 0, 0, True), Followed(3, 1, 0, 0, True)
    good = Report(1, 4, 2, {"landed": 2}, {}, {}, follower=exact, unfenced=lossy)

    assert good.passed
    assert good.text().endswith("passed\n")
    assert not replace(good, unfenced=exact).passed
    assert not replace(good, follower=lossy).passed
    assert not replace(good, violations={"other bytes": 1}).passed
