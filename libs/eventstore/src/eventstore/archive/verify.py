"""Whether an archive is whole, with the public key alone."""

from dataclasses import dataclass

from eventstore.archive.lineage import Stretch, parts_of, read_lineage
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.reading import read_records
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
    async for batch in read_records(store, parts_of(stretches)):
        events += len(batch)
    return Verified(
        log=log,
        epoch=stretches[-1].chain.folder.epoch,
        segments=sum(len(stretch.chain.closed) for stretch in stretches),
        events=events,
        signed_position=_signed_position(stretches),
        position=stretches[-1].until,
    )


def _signed_position(stretches: list[Stretch]) -> int:
    """Tell up to where signatures reach: a signed manifest vouches for all of earlier epochs."""
    for stretch in reversed(stretches):
        if stretch.chain.closed:
            return min(stretch.chain.closed[-1].manifest.last_position, stretch.until)
    return 0
