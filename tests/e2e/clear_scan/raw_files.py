"""Every file of a data directory as its bytes are, and unpacked where it is packed."""

import gzip
import os
from collections.abc import Iterator
from pathlib import Path

from e2e.clear_scan.jetstream_messages import stream_label
from e2e.clear_scan.piece import Piece

GZIP = b"\x1f\x8b\x08"
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
        if content.startswith(GZIP):
            yield Piece(area(name), f"{name}, unpacked", gzip.decompress(content))


def _below(folder: Path) -> Iterator[Path]:
    """Give all folders and files below a folder."""
    for parent, folders, files in os.walk(folder, onerror=_unless_gone):
        yield from (Path(parent, name) for name in (*folders, *files))


def _unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error


def area(name: Path) -> str:
    """Say of a file below the data directory which store it is of, finer where there are several:
    each stream's files, a cluster's tables ("base") and its write-ahead log ("pg_wal").
    """
    match name.parts:
        case ("nats", "jetstream", _, "streams", stream, *_):
            return f"files/nats/{stream_label(stream)}"
        case ("postgres" | "keyring" as server, "cluster", part, *_):
            return f"files/{server}/{part}"
        case parts:
            return f"files/{parts[0]}"
