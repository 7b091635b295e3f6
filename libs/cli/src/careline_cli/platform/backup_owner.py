"""Whose backups a folder has: one platform's, told by an id that both places keep."""

from pathlib import Path
from uuid import uuid4

from embedded import write_private

from careline_cli.command_error import CommandError

ID_FILE = "platform-id"


class BackupNotOurs(CommandError):
    """A backup folder is another platform's; the text says what to do."""


def own_backup(secrets: Path, backup: Path) -> None:
    """Make the platform's id at its first start, in both places; again is a no-op.

    Raises BackupNotOurs also when the platform has no id and the backups do: it is a new one.
    """
    ours, theirs = _id(secrets), _id(backup)
    if theirs is not None and theirs != ours:
        raise _not_ours(secrets, backup)
    if ours is None:
        ours = str(uuid4())
        write_private(secrets / ID_FILE, ours)
    if theirs is None:
        write_private(backup / ID_FILE, ours)


def require_own(secrets: Path, backup: Path) -> None:
    """Raise BackupNotOurs when both have an id, and not the same."""
    ours, theirs = _id(secrets), _id(backup)
    if ours is not None and theirs is not None and theirs != ours:
        raise _not_ours(secrets, backup)


def _id(folder: Path) -> str | None:
    try:
        return (folder / ID_FILE).read_text(encoding="ascii").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _not_ours(secrets: Path, backup: Path) -> BackupNotOurs:
    return BackupNotOurs(
        f"the backups in {backup} are not of the platform in {secrets.parent}; give each its own "
        f"CARELINE_BACKUP_DIRECTORY, or, if they are: cp {backup / ID_FILE} {secrets / ID_FILE}"
    )
