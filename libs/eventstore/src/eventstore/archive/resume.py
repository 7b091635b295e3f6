"""Where an archiver goes on: nothing but the store itself tells, so that a kill loses nothing."""

from eventstore.archive.errors import ArchiveDamaged, ArchiveForeign, Fault
from eventstore.archive.layout import EpochFolder, epoch_of, is_manifest
from eventstore.archive.manifest import (
    Fork,
    Manifest,
    ManifestMalformed,
    digest,
    read_manifest,
    read_tail,
)
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.open_segment import Link, OpenSegment
from eventstore.event_log import EventLog, Head


async def resume(store: ArchiveStore, log: EventLog, name: str, head: Head) -> OpenSegment:
    """Find the end of a log's archive. Raises ArchiveForeign when the log is behind it."""
    epochs = await epochs_of(store, name)
    if epochs and epochs[-1] > head.epoch:
        raise ArchiveForeign(
            f"the archive has epoch {epochs[-1]} of the log, which is in epoch {head.epoch}"
        )
    folder = EpochFolder(name, head.epoch)
    link = await _closed_end(store, folder) or await _first_link(store, log, name, epochs, head)
    segment = OpenSegment(folder, link)
    tail = await sound_tail(store, folder)
    if tail is not None and tail[0].count and tail[0].previous_position == link.position:
        segment.take_over(*tail)
    if segment.last_position > head.position:
        raise ArchiveForeign(
            f"the archive ends at position {segment.last_position}, the log at {head.position}: "
            "was it restored without a new epoch?"
        )
    if not await _ends_in(log, segment):
        raise ArchiveForeign(
            f"the log has another event at position {segment.last_position} than its archive: "
            "they are two logs"
        )
    return segment


async def _ends_in(log: EventLog, segment: OpenSegment) -> bool:
    """Tell whether the last archived event is the log's, too: another log may have come as far."""
    last = segment.last_position
    if not last:
        return True
    found = [str(event.id) async for event in log.read_log(after=last - 1, until=last)]
    return found == [segment.last_event_id]


async def epochs_of(store: ArchiveStore, name: str) -> list[int]:
    """List the epochs that a log's archive has, the oldest first."""
    found = (epoch_of(name, folder) for folder in await store.folders(name))
    return sorted(epoch for epoch in found if epoch is not None)


async def _closed_end(store: ArchiveStore, folder: EpochFolder) -> Link | None:
    """Give what follows an epoch's last closed segment, None when there is no closed one."""
    last = await last_manifest(store, folder)
    if last is None:
        return None
    manifest, sha256 = last
    return Link(manifest.last_position, manifest.last_event_id, sha256, manifest.forked)


async def last_manifest(store: ArchiveStore, folder: EpochFolder) -> tuple[Manifest, str] | None:
    names = [name for name in await store.names(folder.prefix) if is_manifest(name)]
    data = await store.get(names[-1]) if names else None
    if data is None:
        return None
    try:
        return read_manifest(data)[0], digest(data)
    except ManifestMalformed as error:
        raise ArchiveDamaged(Fault.MANIFEST_MALFORMED, names[-1]) from error


async def sound_tail(store: ArchiveStore, folder: EpochFolder) -> tuple[Manifest, bytes] | None:
    """Give the tail if it is whole: what a damaged one held is read from the log again."""
    data = await store.get(folder.tail)
    if data is None:
        return None
    try:
        manifest, segment = read_tail(data)
    except ManifestMalformed:
        return None
    return (manifest, segment) if digest(segment) == manifest.sha256 else None


async def _first_link(
    store: ArchiveStore, log: EventLog, name: str, epochs: list[int], head: Head
) -> Link:
    """Give what the first segment of an epoch follows: the part of the log that was restored.

    A restore leaves a gap beyond all that was archived before, so that what the log holds up to
    there came from that archive.
    """
    earlier = [epoch for epoch in epochs if epoch < head.epoch]
    if not earlier:
        return Link(0)
    folder = EpochFolder(name, earlier[-1])
    closed, tail = await last_manifest(store, folder), await sound_tail(store, folder)
    archived = max(closed[0].last_position if closed else 0, tail[0].last_position if tail else 0)
    restored, event_id = 0, ""
    async for event in log.read_log(until=archived, backwards=True, limit=1):
        restored, event_id = event.position, str(event.id)
    whole_tail = await store.get(folder.tail)
    fork = Fork(
        epoch=folder.epoch,
        position=restored,
        manifest_sha256=closed[1] if closed else None,
        tail_sha256=digest(whole_tail) if whole_tail is not None else None,
    )
    return Link(restored, event_id, None, fork)
