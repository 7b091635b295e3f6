"""Every file of a data directory as its bytes are, and unpacked where it is packed."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

from e2e.clear_scan.jetstream_messages import stream_label
from e2e.clear_scan.piece import Piece
from eventstore.archive.compression import decompress

GZIP = b"\x1f\x8b\x08"
ZSTANDARD = b"\x28\xb5\x2f\xfd"
TAIL = b'{"count":'
NAMES = "names of files"


def raw_files(folder: Path) -> Iterator[Piece]:
    """Give each file with its name; `area` says which store it is of.

    A running platform's files come and go: one that has gone since its folder was listed is left
    out, and only that.
    """
    for path in _below(folder):
        name = path.relative_to(folder)
        yield Piece(NAMES, str(name), str(name).encode())
        if path.is_symlink() or not path.is_file():
            continue
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        yield Piece(area(name), str(name), content)
        unpacked = _unpacked(content)
        if unpacked is not None:
            yield Piece(area(name), f"{name}, unpacked", unpacked)


def _unpacked(content: bytes) -> bytes | None:
    """Unpack what is packed: a gzip file, an archive's segment, or its tail behind its header."""
    if content.startswith(GZIP):
        return gzip.decompress(content)
    header, _, behind = content.partition(b"\n")
    packed = behind if header.startswith(TAIL) else content
    return decompress(packed) if packed.startswith(ZSTANDARD) else None


def _below(folder: Path) -> Iterator[Path]:
    """Give all folders and files below a folder."""
    for parent, folders, files in os.walk(folder, onerror=_unless_gone):
        yield from (Path(parent, name) for name in (*folders, *files))


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def area(name: Path) -> str:
    """Say of a file below the data directory which store it is of, finer where there are several:
    each stream's files, each log's archive, a cluster's tables ("base") and its write-ahead log
    ("pg_wal").
    """
    match name.parts:
        case ("nats", "jetstream", _, "streams", stream, *_):
            return f"files/nats/{stream_label(stream)}"
        case ("archive", log, *_):
            return f"files/archive/{log}"
        case ("postgres" | "keyring" as server, "cluster", part, *_):
            return f"files/{server}/{part}"
        case parts:
            return f"files/{parts[0]}"
