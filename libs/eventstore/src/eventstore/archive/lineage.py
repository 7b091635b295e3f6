"""The epochs that a log's newest archive goes back to, each up to where the next one left it."""

from dataclasses import dataclass

from eventstore.archive.chain import Chain, Segment, read_chain
from eventstore.archive.errors import ArchiveDamaged, ArchiveEmpty, Fault
from eventstore.archive.layout import EpochFolder
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.resume import epochs_of
from eventstore.archive.signing import PublicKeys


@dataclass(frozen=True, slots=True)
class Stretch:
    """An epoch's chain, of which the events up to a position count."""

    chain: Chain
    until: int


@dataclass(frozen=True, slots=True)
class Part:
    """A segment, of which the events up to a position count."""

    segment: Segment
    until: int


async def read_lineage(store: ArchiveStore, log: str, keys: PublicKeys) -> list[Stretch]:
    """Give the stretches of a log's newest epoch, the oldest first, their manifests checked.

    Raises ArchiveDamaged, and ArchiveEmpty when there is nothing.
    """
    epochs = await epochs_of(store, log)
    if not epochs:
        raise ArchiveEmpty(f"there is no archive of {log} here")
    chain = await read_chain(store, EpochFolder(log, epochs[-1]), keys)
    stretches = [Stretch(chain, chain.last_position)]
    while (fork := stretches[0].chain.forked) is not None:
        parent = await read_chain(store, EpochFolder(log, fork.epoch), keys)
        found = (parent.manifest_sha256, parent.tail_sha256)
        if (
            found != (fork.manifest_sha256, fork.tail_sha256)
            or parent.last_position < fork.position
        ):
            raise ArchiveDamaged(Fault.LINEAGE_BROKEN, parent.folder.prefix)
        stretches.insert(0, Stretch(parent, fork.position))
    return stretches


def ends_of(stretches: list[Stretch]) -> dict[int, int]:
    """Give for each epoch of a lineage the last position that counts."""
    return {stretch.chain.folder.epoch: stretch.until for stretch in stretches}


def parts_of(stretches: list[Stretch], until: int | None = None) -> list[Part]:
    """Give the segments of a lineage in order, as far as a position if that is given."""
    parts = []
    for stretch in stretches:
        end = stretch.until if until is None else min(stretch.until, until)
        parts += [
            Part(segment, end)
            for segment in stretch.chain.segments
            if segment.manifest.previous_position < end
        ]
    return parts
