"""Journals give back what writers noted, without a line that a kill cut off."""

import time
from dataclasses import replace
from pathlib import Path

from careline_cli.drill.journals import (
    Acknowledged,
    AcknowledgementTail,
    WriterJournal,
    read,
)
from eventstore.durability import Durability

ONE = Acknowledged(
    "event", "conversations", "conversations/1", 3, 42, Durability.REPLICATED, 1.5, 2.5, "content"
)


def test_what_a_writer_noted_is_read_back(tmp_path: Path) -> None:
    journal = WriterJournal(tmp_path)
    journal.asks("event", "content")
    journal.asks("unanswered", "other")
    journal.acknowledges(ONE)
    journal.refuses(TimeoutError("names a subject"))
    journal.links("conversations/1")

    journals = read(tmp_path)
    journal.close()

    assert journals.asked == {"event": "content", "unanswered": "other"}
    assert journals.acknowledged == [ONE]
    assert journals.refused == ["TimeoutError"]
    assert journals.linked == {"conversations/1"}


def test_a_line_that_was_cut_off_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "writer-1.jsonl").write_text('["asked", "event", "content"]\n["asked", "ot')

    assert read(tmp_path).asked == {"event": "content"}


def test_the_rate_counts_the_last_second_alone_and_reads_on_from_where_it_was(
    tmp_path: Path,
) -> None:
    journal, tail = WriterJournal(tmp_path), AcknowledgementTail(tmp_path)
    now = time.monotonic() + 3_600  # acknowledged later than any look of this test
    journal.acknowledges(replace(ONE, at=time.monotonic() - 10))
    journal.acknowledges(replace(ONE, at=now))

    first = tail.rate()
    journal.asks("event", "content")
    journal.acknowledges(replace(ONE, at=now))
    second = tail.rate()
    journal.close()

    assert (first, second) == (1.0, 2.0)
