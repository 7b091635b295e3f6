"""What an archive has of a log, at a glance: nothing is verified, and no key is needed."""

from dataclasses import dataclass

from eventstore.archive.layout import EpochFolder, is_manifest
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.resume import epochs_of, last_manifest, sound_tail


@dataclass(frozen=True, slots=True)
class Overview:
    """The newest epoch of a log's archive; `written_at` (RFC 3339) is of its last write.

    `signed_position` is how far signatures reach, `position` how far the tail does.
    """

    log: str
    epoch: int
    segments: int
    signed_position: int
    position: int
    written_at: str


async def overview(store: ArchiveStore, log: str) -> Overview | None:
    """Look at the newest epoch of a log; None when there is no archive of it.

    Raises ArchiveUnavailable, and ArchiveDamaged for a last manifest that is none.
    """
    epochs = await epochs_of(store, log)
    if not epochs:
        return None
    folder = EpochFolder(log, epochs[-1])
    closed, tail = await last_manifest(store, folder), await sound_tail(store, folder)
    ends = [one[0] for one in (closed, tail) if one is not None]
    if not ends:
        return None
    newest = max(ends, key=lambda one: (one.last_position, one.written_at))
    return Overview(
        log=log,
        epoch=folder.epoch,
        segments=sum(map(is_manifest, await store.names(folder.prefix))),
        signed_position=closed[0].last_position if closed else 0,
        position=newest.last_position,
        written_at=newest.written_at,
    )
