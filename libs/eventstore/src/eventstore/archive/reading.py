"""A whole archive, checked while it is read: nothing is handed on that was not as signed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import aclosing
from itertools import islice
from uuid import UUID

from eventstore.archive.chain import Segment
from eventstore.archive.compression import CompressionMalformed, decompress
from eventstore.archive.errors import ArchiveDamaged, Fault
from eventstore.archive.lineage import Part
from eventstore.archive.look_ahead import one_ahead
from eventstore.archive.manifest import Manifest, digest
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.record import Record, RecordMalformed, records

_BATCH = 4_000


async def read_records(
    store: ArchiveStore, parts: Sequence[Part]
) -> AsyncGenerator[list[Record], None]:
    """Give the records of segments in order, in lists of some thousands; raises ArchiveDamaged.

    A segment's bytes are checked before any of its records is given, their number after the last;
    meanwhile the next segment is read and unpacked.
    """
    async with aclosing(one_ahead(_contents(store, parts))) as contents:
        async for part, content in contents:
            batches = _batches(part.segment, content)
            while batch := await asyncio.to_thread(next, batches, None):
                kept = [record for record in batch if record.position <= part.until]
                if kept:
                    yield kept


async def _contents(
    store: ArchiveStore, parts: Sequence[Part]
) -> AsyncIterator[tuple[Part, bytes]]:
    for part in parts:
        yield part, await _content(store, part.segment)


async def _content(store: ArchiveStore, segment: Segment) -> bytes:
    """Give a segment's records; a tail's bytes were checked with its header."""
    data = segment.content if segment.content is not None else await store.get(segment.name)
    if data is None:
        raise ArchiveDamaged(Fault.SEGMENT_MISSING, segment.name)
    return await asyncio.to_thread(_unpacked, segment, data)


def _unpacked(segment: Segment, data: bytes) -> bytes:
    if digest(data) != segment.manifest.sha256:
        raise ArchiveDamaged(Fault.SEGMENT_ALTERED, segment.name)
    try:
        return decompress(data)
    except CompressionMalformed as error:
        raise ArchiveDamaged(Fault.SEGMENT_UNREADABLE, segment.name) from error


def _batches(segment: Segment, content: bytes) -> Iterator[list[Record]]:
    manifest = segment.manifest
    count, last, last_id = 0, manifest.previous_position, b""
    upcoming = records(content)
    try:
        while batch := list(islice(upcoming, _BATCH)):
            for record in batch:
                if record.previous_position != last:
                    raise ArchiveDamaged(
                        Fault.POSITION_WRONG, segment.name, f"at position {record.position}"
                    )
                last = record.position
            count, last_id = count + len(batch), batch[-1].id
            yield batch
    except RecordMalformed as error:
        raise ArchiveDamaged(Fault.SEGMENT_UNREADABLE, segment.name) from error
    _ends_as_said(
        segment.name, manifest, count, (last, str(UUID(bytes=last_id)) if last_id else "")
    )


def _ends_as_said(name: str, manifest: Manifest, count: int, last: tuple[int, str]) -> None:
    if count != manifest.count:
        raise ArchiveDamaged(Fault.COUNT_WRONG, name, f"{count}, not {manifest.count}")
    if last != (manifest.last_position, manifest.last_event_id):
        raise ArchiveDamaged(Fault.POSITION_WRONG, name, f"it ends at position {last[0]}")
