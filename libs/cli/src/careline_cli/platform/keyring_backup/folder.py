"""Where the keyring's backups are, and which there are.

    wal/                     what the receiver writes
    base/<time of start>/    base backups, each verified when it was taken
    before-<time>/           both, of a keyring that was restored since

A restored keyring goes another way from where it was restored to, so its log never shares a folder
with the one before.
"""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from embedded import DataDirNotOurs

from careline_cli.platform.data_directory import DataDirectory

SEGMENT_BYTES = 16 << 20
PARTIAL = ".partial"
_STAMP = "%Y%m%dT%H%M%S.%fZ"
_UNFINISHED = ".new"


@dataclass(frozen=True, slots=True)
class Base:
    """A base backup; `taken_at` is when it began: what was erased before is not in it."""

    folder: Path
    taken_at: datetime

    @property
    def ended_at(self) -> datetime:
        """Give the time from which on it can be restored: its manifest is written last."""
        written = (self.folder / "backup_manifest").stat().st_mtime
        return datetime.fromtimestamp(written, UTC)

    @property
    def wal(self) -> Path:
        return self.folder.parent.parent / "wal"

    @property
    def first_segment(self) -> str:
        """Name the segment of the log that a recovery from here begins with."""
        label = (self.folder / "backup_label").read_text(encoding="ascii")
        return label.partition("(file ")[2].partition(")")[0]


@dataclass(frozen=True, slots=True)
class BackupFolder:
    """The backups of one data directory."""

    root: Path

    @classmethod
    def of(cls, data: DataDirectory) -> "BackupFolder":
        return cls(data.backup / "keyring")

    @property
    def wal(self) -> Path:
        return self.root / "wal"

    @property
    def bases(self) -> Path:
        return self.root / "base"

    @property
    def log_file(self) -> Path:
        return self.root / "backup.log"

    def create(self) -> None:
        """Raise DataDirNotOurs where that is not possible."""
        try:
            for folder in (self.root, self.wal, self.bases):
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError:
            raise DataDirNotOurs("keyring backup", self.root) from None

    def base(self, taken_at: datetime) -> Path:
        return self.bases / taken_at.astimezone(UTC).strftime(_STAMP)

    def unfinished(self, taken_at: datetime) -> Path:
        base = self.base(taken_at)
        return base.with_name(base.name + _UNFINISHED)

    def clear_unfinished(self) -> None:
        for folder in self.bases.glob(f"*{_UNFINISHED}"):
            shutil.rmtree(folder)

    def current(self) -> list[Base]:
        """Give the present keyring's base backups, the newest first."""
        return _bases(self.bases)

    def all(self) -> list[Base]:
        """Give those of earlier ones, too, the newest first."""
        found = [base for one in (self.root, *self.earlier()) for base in _bases(one / "base")]
        return sorted(found, key=lambda base: base.taken_at, reverse=True)

    def earlier(self) -> list[Path]:
        return sorted(self.root.glob("before-*"))

    def set_aside(self, at: datetime) -> None:
        """Make room for the backups of a restored keyring.

        One that was broken off goes on; again, and with nothing there, is a no-op.
        """
        self.clear_unfinished()
        into = self.root / f"before{_UNFINISHED}"
        if not into.exists():
            if not (self.wal.exists() and any(self.wal.iterdir())) and not self.current():
                return
            into.mkdir(mode=0o700)
        for folder in (self.bases, self.wal):
            if folder.exists():
                folder.rename(into / folder.name)
        into.rename(self.root / f"before-{at.astimezone(UTC).strftime(_STAMP)}")

    def segments(self) -> Iterator[str]:
        """Give the names of the log's segments, the one being written last."""
        names = (file.name.removesuffix(PARTIAL) for file in self.wal.iterdir())
        yield from sorted(name for name in names if _is_segment(name))


def time_of_base(name: str) -> datetime:
    """Read when a base backup began, which its name says."""
    return datetime.strptime(name, _STAMP).replace(tzinfo=UTC)


def _is_segment(name: str) -> bool:
    return len(name) == 24 and set(name) <= set("0123456789ABCDEF")  # noqa: PLR2004 - PostgreSQL's


def _bases(folder: Path) -> list[Base]:
    if not folder.exists():
        return []
    found = [
        Base(one, time_of_base(one.name))
        for one in folder.iterdir()
        if not one.name.endswith(_UNFINISHED)
    ]
    return sorted(found, key=lambda base: base.taken_at, reverse=True)
