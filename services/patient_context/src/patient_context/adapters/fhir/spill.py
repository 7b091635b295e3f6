"""Keeps what does not fit into memory in a nameless file, encrypted, by partition."""

import os
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import IO, Final, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

PARTITIONS: Final = 64
_LENGTH: Final = 4
_NONCE: Final = 12


class SpillFull(Exception):
    """More was put in than the spill may hold."""


def require_writable(directory: Path) -> None:
    """Raise OSError that says what to do unless files can be made there."""
    try:
        tempfile.TemporaryFile(dir=directory).close()
    except OSError:
        raise OSError(
            "no file can be made where CARELINE_SPILL_DIRECTORY says; name a writable directory"
        ) from None


class Spill:
    """Takes items, each a list of byte strings under a key; gives them back partition by partition,
    all items of one key in the same one.

    Up to `in_memory` bytes stay in memory. More goes to a file without a name, which the system
    frees with the process however that ends, encrypted under a key that is in memory only: it
    would be PHI in the clear otherwise.
    """

    def __init__(self, directory: Path, *, in_memory: int, at_most: int) -> None:
        self._directory = directory
        self._in_memory = in_memory
        self._at_most = at_most
        self._held: list[bytearray] = [bytearray() for _ in range(PARTITIONS)]
        self._held_bytes = 0
        self._blocks: defaultdict[int, list[tuple[int, int]]] = defaultdict(list)
        self._file: IO[bytes] | None = None
        self._spilled = 0
        self._cipher = AESGCM(os.urandom(32))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()

    @property
    def is_due(self) -> bool:
        """Whether `write_out` should be called before more is put in."""
        return self._held_bytes > self._in_memory

    def put(self, key: str, item: list[bytes]) -> None:
        """Add an item; raises SpillFull."""
        partition = blake2b(key.encode(), digest_size=2).digest()[0] % PARTITIONS
        packed = pack(item)
        held = self._held[partition]
        held += len(packed).to_bytes(_LENGTH) + packed
        self._held_bytes += _LENGTH + len(packed)
        if self._spilled + self._held_bytes > self._at_most:
            raise SpillFull

    def write_out(self) -> None:
        """Move all that is in memory to the file; blocks, so call it in a thread."""
        if self._file is None:
            self._file = tempfile.TemporaryFile(dir=self._directory)  # noqa: SIM115  closed on exit
        for partition, held in enumerate(self._held):
            if held:
                block = self._cipher.encrypt(self._nonce(), bytes(held), bytes([partition]))
                self._blocks[partition].append((self._spilled, len(block)))
                self._file.seek(self._spilled)
                self._file.write(block)
                self._spilled += len(block)
                held.clear()
        self._held_bytes = 0

    def partition(self, number: int) -> Iterator[list[bytes]]:
        """Give the items of a partition, those put in first first; blocks where it reads."""
        for offset, length in self._blocks[number]:
            yield from _items(self._read(number, offset, length))
        yield from _items(bytes(self._held[number]))

    def _nonce(self) -> bytes:
        """Where a block begins is a number that no other block of this key has."""
        return self._spilled.to_bytes(_NONCE)

    def _read(self, partition: int, offset: int, length: int) -> bytes:
        if self._file is None:
            raise RuntimeError("blocks without a file")
        self._file.seek(offset)
        block = self._file.read(length)
        return self._cipher.decrypt(offset.to_bytes(_NONCE), block, bytes([partition]))


def pack(item: list[bytes]) -> bytes:
    return b"".join(len(part).to_bytes(_LENGTH) + part for part in item)


def unpack(packed: bytes) -> list[bytes]:
    return list(_parts(packed))


def _items(block: bytes) -> Iterator[list[bytes]]:
    return (unpack(packed) for packed in _parts(block))


def _parts(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        begin = at + _LENGTH
        at = begin + int.from_bytes(data[at:begin])
        yield data[begin:at]
