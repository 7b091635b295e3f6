"""Compares a base backup with the manifest that the server wrote when it was taken.

What pg_verifybackup does, whose build in PostgreSQL's wheel crashes before it has read anything.
The manifest's format is documented with PostgreSQL ("Backup Manifest Format", version 2).
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

MANIFEST: Final = "backup_manifest"
_LAST: Final = b'"Manifest-Checksum"'
# The log that it came with is checked by pg_waldump.
_UNLISTED: Final = (MANIFEST, "pg_wal/")


class WalRange(NamedTuple):
    """The log that a recovery needs at least."""

    timeline: int
    start: str
    end: str


class Differs(Exception):
    """The text names what differs, by its path in the backup."""


def verify_files(base: Path) -> list[WalRange]:
    """Hold every file against the manifest; raises Differs. Gives the log that it has to hold."""
    try:
        content = (base / MANIFEST).read_bytes()
        manifest = json.loads(content)
        body = content[: content.rindex(_LAST)]
        listed = {str(one["Path"]): one for one in manifest["Files"]}
        whole = manifest["Manifest-Checksum"] == hashlib.sha256(body).hexdigest()
        ranges = [
            WalRange(one["Timeline"], one["Start-LSN"], one["End-LSN"])
            for one in manifest["WAL-Ranges"]
        ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Differs(f"{MANIFEST} ({type(error).__name__})") from None
    if not whole:
        raise Differs(MANIFEST)
    for path, one in listed.items():
        if _sha256(base / path) != one["Checksum"]:
            raise Differs(path)
    for path in _files(base):
        if path not in listed and not path.startswith(_UNLISTED):
            raise Differs(path)
    return ranges


def _sha256(file: Path) -> str | None:
    """Give None for a file that is not there or can not be read."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError:
        return None


def _files(base: Path) -> Iterator[str]:
    return (str(file.relative_to(base)) for file in base.rglob("*") if file.is_file())
