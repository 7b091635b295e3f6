"""What was restored of a log, and what not, for machines and for people."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from eventstore.archive.restore import Restored

from careline_cli.streams.renewal import Renewal


@dataclass(frozen=True, slots=True)
class RestoredLog:
    """`renewal` is None where no stream was looked at; `seconds` are of the log alone."""

    restored: Restored
    renewal: Renewal | None
    seconds: float

    @property
    def from_archive(self) -> int:
        return self.restored.events - self.restored.streamed

    def as_json(self) -> dict[str, object]:
        one = asdict(self.restored)
        ended = one.pop("tail_ended")
        return one | {
            "from_archive": self.from_archive,
            "from_stream": one.pop("streamed"),
            "seconds": round(self.seconds, 3),
            "stream": None if self.renewal is None else asdict(self.renewal),
            "tail_ended": ended,
        }


def lines_of(log: str, renewal: Renewal, ended: str | None) -> Iterator[str]:
    """Say what the stream has that the log has not, and what became of it."""
    if not renewal.left_out:
        return
    why = f" ({ended})" if ended else ""
    yield (
        f"{log}: NOT RESTORED: {renewal.left_out} messages of the stream, from position "
        f"{renewal.from_position} on{why}"
    )
    if renewal.kept_in:
        yield f"{log}: they are kept in {renewal.kept_in}; the stream is made anew"
    elif not renewal.renewed:
        yield (
            f"{log}: the stream stands as it was, since it alone has them. See what they are; "
            "then this command with --archive-only keeps them in a file and makes the stream anew"
        )
