"""The manifests of one epoch, checked against each other, the key and the segments there are."""

from dataclasses import dataclass

from eventstore.archive.errors import ArchiveDamaged, Fault
from eventstore.archive.layout import EpochFolder, is_manifest
from eventstore.archive.manifest import (
    Fork,
    Manifest,
    ManifestMalformed,
    digest,
    read_manifest,
    read_tail,
    signed_part,
)
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.signing import PublicKeys, is_by_another_key, is_valid


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment as its manifest describes it; `content` is in hand for a tail alone."""

    name: str
    manifest: Manifest
    content: bytes | None = None


@dataclass(frozen=True, slots=True)
class Chain:
    """An epoch's segments in order, the tail last."""

    folder: EpochFolder
    closed: tuple[Segment, ...]
    tail: Segment | None
    forked: Fork | None
    manifest_sha256: str | None
    tail_sha256: str | None

    @property
    def segments(self) -> tuple[Segment, ...]:
        return (*self.closed, self.tail) if self.tail else self.closed

    @property
    def start(self) -> int:
        """The position that the epoch's first event of its own follows."""
        return self.forked.position if self.forked else 0

    @property
    def last_position(self) -> int:
        return self.segments[-1].manifest.last_position if self.segments else self.start


async def read_chain(store: ArchiveStore, folder: EpochFolder, keys: PublicKeys) -> Chain:
    """Read and check all manifests of an epoch; raises ArchiveDamaged."""
    names = await store.names(folder.prefix)
    closed: list[Segment] = []
    sha256: str | None = None
    for name in filter(is_manifest, names):
        data = await store.get(name)
        if data is None:
            raise ArchiveDamaged(Fault.CHAIN_BROKEN, name, "it is gone")
        manifest = _verified(name, data, keys)
        _follows(name, folder, manifest, closed[-1].manifest if closed else None, sha256)
        segment = folder.segment(manifest.first_position, manifest.sha256)
        if segment not in names:
            raise ArchiveDamaged(Fault.SEGMENT_MISSING, segment)
        closed.append(Segment(segment, manifest))
        sha256 = digest(data)
    data = await store.get(folder.tail)
    tail = None if data is None else _tail(folder, data)
    if tail is not None:
        if closed and tail.manifest.last_position <= closed[-1].manifest.last_position:
            tail = None  # its archiver ended between closing the segment and removing the tail
        else:
            last = closed[-1].manifest if closed else None
            _follows(folder.tail, folder, tail.manifest, last, sha256)
    manifests = [one.manifest for one in (*closed, *([tail] if tail else []))]
    return Chain(
        folder,
        tuple(closed),
        tail if tail and tail.manifest.count else None,
        manifests[0].forked if manifests else None,
        sha256,
        digest(data) if data is not None else None,
    )


def _verified(name: str, data: bytes, keys: PublicKeys) -> Manifest:
    try:
        manifest, signature = read_manifest(data)
    except ManifestMalformed as error:
        raise ArchiveDamaged(Fault.MANIFEST_MALFORMED, name) from error
    if is_by_another_key(signature, keys):
        raise ArchiveDamaged(Fault.KEY_WRONG, name)
    if not is_valid(signature, signed_part(manifest), keys):
        raise ArchiveDamaged(Fault.MANIFEST_ALTERED, name)
    return manifest


def _follows(
    name: str, folder: EpochFolder, manifest: Manifest, last: Manifest | None, sha256: str | None
) -> None:
    """Raise ArchiveDamaged unless a manifest is this epoch's and follows the last one."""
    if last is not None:
        start, forked = last.last_position, last.forked
    else:
        forked = manifest.forked
        start = forked.position if forked else 0
    is_own = (manifest.log, manifest.epoch) == (folder.log, folder.epoch)
    is_named = name in (folder.tail, folder.manifest(manifest.first_position))
    if not (is_own and is_named):
        raise ArchiveDamaged(Fault.CHAIN_BROKEN, name, "it lies in the wrong place")
    if manifest.previous_sha256 != sha256:
        raise ArchiveDamaged(Fault.CHAIN_BROKEN, name)
    if (manifest.previous_position, manifest.forked) != (start, forked):
        raise ArchiveDamaged(Fault.CHAIN_BROKEN, name, f"it does not follow position {start}")


def _tail(folder: EpochFolder, data: bytes) -> Segment:
    try:
        manifest, content = read_tail(data)
    except ManifestMalformed as error:
        fault = Fault.TAIL_ALTERED if b"\n" in data else Fault.TAIL_TRUNCATED
        raise ArchiveDamaged(fault, folder.tail) from error
    if len(content) < manifest.size:
        raise ArchiveDamaged(Fault.TAIL_TRUNCATED, folder.tail)
    if digest(content) != manifest.sha256:
        raise ArchiveDamaged(Fault.TAIL_ALTERED, folder.tail)
    return Segment(folder.tail, manifest, content)
