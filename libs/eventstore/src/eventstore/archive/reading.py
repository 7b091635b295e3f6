"""A whole archive, checked while it is read: nothing is handed on that was not as signed."""

from collections.abc import AsyncIterator, Iterator

from eventstore.archive.chain import Segment
from eventstore.archive.compression import CompressionMalformed, decompress
from eventstore.archive.errors import ArchiveDamaged, Fault
from eventstore.archive.lineage import Stretch
from eventstore.archive.manifest import Manifest, digest
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.record import RecordMalformed, decode
from eventstore.event import RecordedEvent

_BATCH = 2_000


async def read_events(
    store: ArchiveStore, stretches: list[Stretch]
) -> AsyncIterator[list[RecordedEvent]]:
    """Give the events of a lineage in order, in lists of some thousands; raises ArchiveDamaged.

    A segment's bytes are checked before any of its events is given, their number after the last.
    """
    for stretch in stretches:
        for segment in stretch.chain.segments:
            async for batch in read_segment(store, segment, stretch.until):
                yield batch


async def read_segment(
    store: ArchiveStore, segment: Segment, until: int
) -> AsyncIterator[list[RecordedEvent]]:
    """Give a segment's events up to a position, as `read_events` does."""
    if segment.manifest.previous_position >= until:
        return
    content = await _content(store, segment)
    for batch in _batches(segment, content):
        kept = [event for event in batch if event.position <= until]
        if kept:
            yield kept


async def _content(store: ArchiveStore, segment: Segment) -> bytes:
    """Give a segment's records; a tail's bytes were checked with its header."""
    data = segment.content if segment.content is not None else await store.get(segment.name)
    if data is None:
        raise ArchiveDamaged(Fault.SEGMENT_MISSING, segment.name)
    if digest(data) != segment.manifest.sha256:
        raise ArchiveDamaged(Fault.SEGMENT_ALTERED, segment.name)
    try:
        return decompress(data)
    except CompressionMalformed as error:
        raise ArchiveDamaged(Fault.SEGMENT_UNREADABLE, segment.name) from error


def _batches(segment: Segment, content: bytes) -> Iterator[list[RecordedEvent]]:
    manifest = segment.manifest
    count, last, last_id = 0, manifest.previous_position, ""
    batch: list[RecordedEvent] = []
    try:
        for event in decode(content):
            if event.previous_position != last:
                raise ArchiveDamaged(
                    Fault.POSITION_WRONG, segment.name, f"at position {event.position}"
                )
            count, last, last_id = count + 1, event.position, str(event.id)
            batch.append(event)
            if len(batch) == _BATCH:
                yield batch
                batch = []
    except RecordMalformed as error:
        raise ArchiveDamaged(Fault.SEGMENT_UNREADABLE, segment.name) from error
    _ends_as_said(segment.name, manifest, count, (last, last_id))
    yield batch


def _ends_as_said(name: str, manifest: Manifest, count: int, last: tuple[int, str]) -> None:
    if count != manifest.count:
        raise ArchiveDamaged(Fault.COUNT_WRONG, name, f"{count}, not {manifest.count}")
    if last != (manifest.last_position, manifest.last_event_id):
        raise ArchiveDamaged(Fault.POSITION_WRONG, name, f"it ends at position {last[0]}")
