"""The segment that an archiver fills: in memory, and in the store as the tail, until it closes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from eventstore.archive.compression import compress
from eventstore.archive.errors import ArchiveForeign
from eventstore.archive.layout import EpochFolder
from eventstore.archive.manifest import Fork, Manifest
from eventstore.archive.record import encode
from eventstore.event import RecordedEvent


@dataclass(frozen=True, slots=True)
class Link:
    """What the next segment of an epoch follows: an event, and the manifest before, if any."""

    position: int
    event_id: str = ""
    previous_sha256: str | None = None
    forked: Fork | None = None


class OpenSegment:
    """Takes events in order, a Zstandard frame for each call of `add`."""

    def __init__(self, folder: EpochFolder, link: Link) -> None:
        self.folder = folder
        self.last_position = link.position
        self.last_event_id = link.event_id
        self.opened_at: datetime | None = None
        self.size = 0
        self.first_position = 0
        self._link = link
        self._frames: list[bytes] = []
        self._hash = sha256()
        self._count = 0

    @property
    def is_empty(self) -> bool:
        return not self._count

    def add(self, events: Sequence[RecordedEvent], now: datetime) -> None:
        """Take the next events, at least one; raises ArchiveForeign unless they follow."""
        for event in events:
            if event.previous_position != self.last_position:
                raise ArchiveForeign(
                    f"the archive ends at position {self.last_position}, where the log has "
                    f"{event.previous_position} before {event.position}"
                )
            self.last_position = event.position
        self.last_event_id = str(events[-1].id)
        if self.is_empty:
            self.first_position = events[0].position
            self.opened_at = now
        self._take(compress(b"".join(map(encode, events))), len(events))

    def take_over(self, tail: Manifest, segment: bytes) -> None:
        """Go on from a tail as it lies in the store, which was checked."""
        self.first_position = tail.first_position
        self.last_position = tail.last_position
        self.last_event_id = tail.last_event_id
        self.opened_at = datetime.fromisoformat(tail.opened_at)
        self._take(segment, tail.count)

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    def content(self) -> bytes:
        return b"".join(self._frames)

    def manifest(self, now: datetime) -> Manifest:
        return Manifest(
            log=self.folder.log,
            epoch=self.folder.epoch,
            first_position=self.first_position,
            last_position=self.last_position,
            last_event_id=self.last_event_id,
            previous_position=self._link.position,
            count=self._count,
            size=self.size,
            sha256=self.sha256,
            previous_sha256=self._link.previous_sha256,
            forked=self._link.forked,
            opened_at=(self.opened_at or now).isoformat(),
            written_at=now.isoformat(),
        )

    def follower(self, manifest_sha256: str) -> "OpenSegment":
        """Open the segment after this one, whose manifest has that hash."""
        link = Link(self.last_position, self.last_event_id, manifest_sha256, self._link.forked)
        return OpenSegment(self.folder, link)

    def _take(self, frame: bytes, count: int) -> None:
        self._frames.append(frame)
        self._hash.update(frame)
        self.size += len(frame)
        self._count += count
