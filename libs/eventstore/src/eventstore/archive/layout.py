"""Where a log's objects lie: `<log>/<epoch>/<first position>.*` and `tail.zst`."""

from dataclasses import dataclass

_SEGMENT = ".segment.zst"
_MANIFEST = ".manifest.json"
_TAIL = "tail.zst"
_EPOCH_DIGITS = 10
_POSITION_DIGITS = 19
_HASH_DIGITS = 16


@dataclass(frozen=True, slots=True)
class EpochFolder:
    """Names of the objects of one epoch of a log; in order of name they are in order of position.

    Epochs and positions are padded with zeros.
    """

    log: str
    epoch: int

    @property
    def prefix(self) -> str:
        return f"{self.log}/{self.epoch:0{_EPOCH_DIGITS}d}"

    @property
    def tail(self) -> str:
        return f"{self.prefix}/{_TAIL}"

    def segment(self, first_position: int, sha256: str) -> str:
        """Name a segment by its content too, so that no two archivers replace each other's."""
        short = sha256[:_HASH_DIGITS]
        return f"{self.prefix}/{first_position:0{_POSITION_DIGITS}d}.{short}{_SEGMENT}"

    def manifest(self, first_position: int) -> str:
        return f"{self.prefix}/{first_position:0{_POSITION_DIGITS}d}{_MANIFEST}"


def is_manifest(name: str) -> bool:
    return name.endswith(_MANIFEST)


def epoch_of(log: str, folder: str) -> int | None:
    """Tell which epoch of a log a folder's path is of; None when it is of none."""
    parent, _, name = folder.rstrip("/").rpartition("/")
    return int(name) if parent == log and name.isascii() and name.isdigit() else None
