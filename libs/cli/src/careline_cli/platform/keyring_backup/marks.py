"""What a restore still has to do, on disk before its keyring is in place.

Two files beside the cluster, each with the name of the base backup that the keyring came from:

    restored      the backups of the keyring before are to be set aside
    to-reapply    what the logs know is to be done again
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from embedded import write_private

from careline_cli.platform.data_directory import DataDirectory


@dataclass(frozen=True, slots=True)
class RestoreMarks:
    """The marks of one data directory."""

    folder: Path

    @classmethod
    def of(cls, data: DataDirectory) -> Self:
        return cls(data.root / "keyring")

    @property
    def restored(self) -> Path:
        return self.folder / "restored"

    @property
    def to_reapply(self) -> Path:
        return self.folder / "to-reapply"

    def make(self, base: str) -> None:
        """Make both durable."""
        for mark in (self.restored, self.to_reapply):
            write_private(mark, base)

    def unfinished(self) -> str | None:
        """Name the base backup of a restore that is not done to its end, if there is one."""
        if not self.to_reapply.exists():
            return None
        return self.to_reapply.read_text(encoding="utf-8")
