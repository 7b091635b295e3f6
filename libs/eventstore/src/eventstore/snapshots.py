"""States of long streams, kept so that a load reads but the tail: a cache, never the truth."""

import logging
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol, TypeVar

from eventstore.code_version import code_version
from eventstore.decider import Decider
from eventstore.errors import EventLogError
from eventstore.state_cache import Loaded
from eventstore.state_codec import StateUnreadable, decode_state, encode_state
from eventstore.stream_id import StreamId

S = TypeVar("S")
E = TypeVar("E")

_EVERY = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SnapshotKey:
    """Whose state it is, which decider made it, and of which code the decider was."""

    stream: StreamId
    decider: str
    code_version: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A state as `encode_state` writes it, and the last event it holds.

    `digest` is a SHA-256 over all of it and its key: damage and mix-ups show before use.
    """

    state: bytes
    revision: int
    position: int
    digest: bytes


class SnapshotStore(Protocol):
    """Keeps one snapshot a key, the one written last. Raises LogUnavailable and its family."""

    async def read(self, key: SnapshotKey) -> Snapshot | None:
        """Give the key's snapshot, if it was written in the log's present epoch."""

    async def write(self, key: SnapshotKey, snapshot: Snapshot) -> None:
        """Keep a snapshot; one whose last event the log does not hold is dropped."""


@dataclass(slots=True)
class SnapshotCounts:
    """How often a snapshot was used, written, not usable (passed over), and not to be had."""

    used: int = 0
    written: int = 0
    refused: int = 0
    unavailable: int = 0


class Snapshots:
    """Finds and keeps states; whatever is wrong with one is counted, told, and no state at all.

    One is kept whenever a read passes another `every` events of a stream.
    """

    def __init__(self, store: SnapshotStore, *, every: int = _EVERY) -> None:
        self._store = store
        self._every = every
        self.counts = SnapshotCounts()

    async def find(self, stream: StreamId, decider: Decider[S, E]) -> Loaded[S] | None:
        """Give a state to go on from, which the stream is still to be held against."""
        key = _key(stream, decider)
        if key is None:
            return None
        try:
            found = await self._store.read(key)
        except EventLogError as error:
            self._tell_unavailable("read_snapshot", stream, error)
            return None
        if found is None:
            return None
        if found.digest != _digest(key, found.state, found.revision, found.position):
            self._refuse("damaged", stream, found.revision)
            return None
        try:
            state = decode_state(type(decider.initial), found.state)
        except StateUnreadable:
            self._refuse("unreadable", stream, found.revision)
            return None
        return Loaded(state, found.revision, found.position)

    async def keep(
        self, stream: StreamId, decider: Decider[S, E], start: Loaded[S], loaded: Loaded[S]
    ) -> None:
        """Keep a state that was read from `start` on, when that was far enough."""
        passed = (loaded.revision + 1) // self._every > (start.revision + 1) // self._every
        key = _key(stream, decider) if passed else None
        if key is None:
            return
        state = encode_state(loaded.state)
        digest = _digest(key, state, loaded.revision, loaded.position)
        try:
            await self._store.write(key, Snapshot(state, loaded.revision, loaded.position, digest))
        except EventLogError as error:
            self._tell_unavailable("write_snapshot", stream, error)
        else:
            self.counts.written += 1

    def was_used(self) -> None:
        self.counts.used += 1

    def was_not_held(self, stream: StreamId, revision: int) -> None:
        """Tell that the last event of a state that was found is not in the stream."""
        self._refuse("not_held", stream, revision)

    def _refuse(self, reason: str, stream: StreamId, revision: int) -> None:
        self.counts.refused += 1
        _log.warning(
            "snapshot at revision %d is passed over",
            revision,
            extra={**_told(stream), "reason": reason},
        )

    def _tell_unavailable(self, during: str, stream: StreamId, error: EventLogError) -> None:
        self.counts.unavailable += 1
        told = {**_told(stream), "during": during, "error": type(error).__name__}
        _log.warning("snapshots are not to be had", extra=told)


def _told(stream: StreamId) -> dict[str, str]:
    return {"tenant": stream.tenant, "stream": stream.name}


def _key(stream: StreamId, decider: Decider[Any, Any]) -> SnapshotKey | None:
    """None for an `evolve` without a name of its own: another one could be taken for it."""
    evolve = decider.evolve
    name = evolve.__qualname__
    package, _, module = evolve.__module__.rpartition(".")
    if "<" in name or not package:
        return None
    return SnapshotKey(stream, f"{package}.{module}.{name}", code_version(package))


def _digest(key: SnapshotKey, state: bytes, revision: int, position: int) -> bytes:
    stream = key.stream
    parts = (stream.tenant, stream.name, key.decider, key.code_version, revision, position)
    return sha256("\0".join(map(str, parts)).encode() + b"\0" + state).digest()
