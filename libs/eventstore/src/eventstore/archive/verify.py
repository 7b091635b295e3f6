"""Whether an archive is whole, with the public key alone."""

from dataclasses import dataclass

from eventstore.archive.lineage import read_lineage
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.reading import read_events
from eventstore.archive.signing import PublicKeys


@dataclass(frozen=True, slots=True)
class Verified:
    """What a whole archive holds: of the newest epoch, and what it goes back to in earlier ones.

    `signed_position` is how far signatures reach; what lies beyond is the tail's, hashed only.
    """

    log: str
    epoch: int
    segments: int
    events: int
    signed_position: int
    position: int


async def verify(store: ArchiveStore, log: str, keys: PublicKeys) -> Verified:
    """Read everything; raises ArchiveDamaged at the first fault, ArchiveEmpty for no archive."""
    stretches = await read_lineage(store, log, keys)
    events = 0
    async for batch in read_events(store, stretches):
        events += len(batch)
    newest = stretches[-1].chain
    return Verified(
        log=log,
        epoch=newest.folder.epoch,
        segments=sum(len(stretch.chain.closed) for stretch in stretches),
        events=events,
        signed_position=newest.signed_position,
        position=newest.last_position,
    )
