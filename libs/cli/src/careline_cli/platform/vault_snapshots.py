"""Vault's raft snapshots: all of its storage as it is kept, sealed under the seal key.

A snapshot is of no use without that key, and with it is all secrets: they are kept apart.
"""

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import hvac
import requests
from embedded import write_private
from embedded.private_files import private_folder
from hvac.exceptions import VaultError

from careline_cli.command_error import CommandError
from careline_cli.platform.app_role import kept_app_role, signed_in
from careline_cli.platform.data_directory import DataDirectory, DataDirectoryError
from careline_cli.provision.vault import SNAPSHOTS

KEPT: Final = 14
"""How many of the newest are kept."""
_STAMP: Final = "%Y%m%dT%H%M%S.%fZ"
_SUFFIX: Final = ".snap"


class SnapshotRefused(CommandError):
    """A snapshot could not be taken or is not usable; the text says why."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One file of mode 0600, with its SHA-256 beside it."""

    file: Path

    @property
    def checksum_file(self) -> Path:
        return self.file.with_name(self.file.name + ".sha256")

    def content(self) -> bytes:
        """Read it; raises SnapshotRefused unless it is as it was taken."""
        try:
            content = self.file.read_bytes()
            taken = self.checksum_file.read_text(encoding="ascii").split()[0]
        except (OSError, IndexError, UnicodeDecodeError) as error:
            raise SnapshotRefused(
                f"{self.file} or its checksum can not be read ({type(error).__name__})"
            ) from None
        if hashlib.sha256(content).hexdigest() != taken:
            raise SnapshotRefused(f"{self.file} is not as it was taken; name an earlier --from")
        return content


def snapshots(data: DataDirectory) -> list[Snapshot]:
    """Give those that are kept, the newest first."""
    found = sorted((data.backup / "vault").glob(f"*{_SUFFIX}"), reverse=True)
    return [Snapshot(file) for file in found]


def take_snapshot(data: DataDirectory, url: str, *, now: datetime, keep: int = KEPT) -> Snapshot:
    """Take one as whoever may do nothing else, and let all but the newest go.

    Keeps the seal key a second time, among the secrets. Raises SnapshotRefused.
    """
    try:
        role = kept_app_role(data.secrets / f"{SNAPSHOTS}.approle.json")
        client = signed_in(url, role)
        content = client.sys.take_raft_snapshot().content
        client.auth.token.revoke_self()
    except (VaultError, requests.RequestException, FileNotFoundError) as error:
        raise SnapshotRefused(
            f"no snapshot of Vault was taken ({type(error).__name__}); see: careline status"
        ) from None
    try:
        taken = _keep(data.backup / "vault", content, now)
    except OSError as error:
        raise SnapshotRefused(f"{data.backup / 'vault'}: {error.strerror}") from None
    write_private(kept_seal_key(data), (data.root / "openbao" / "seal.key").read_text("ascii"))
    for old in snapshots(data)[max(keep, 1) :]:
        old.file.unlink()
        old.checksum_file.unlink(missing_ok=True)
    return taken


def kept_seal_key(data: DataDirectory) -> Path:
    """Where the seal key is, too: never beside the snapshots."""
    return data.secrets / "vault-seal.key"


def unfinished_restore(data: DataDirectory) -> Path:
    """Name the mark of a restore that is not done: what is in Vault's place is no Vault yet."""
    return data.root / "openbao" / "restoring"


def require_vault(data: DataDirectory) -> None:
    """Raise DataDirectoryError when Vault is lost and there are snapshots of it, or when it is not
    wholly back.
    """
    place = data.root / "openbao"
    if unfinished_restore(data).exists():
        raise DataDirectoryError(
            f"Vault in {place} is not wholly restored; go on with: careline vault restore, with "
            "--from a newer snapshot where it said that one does not open every key"
        )
    if not (place / "raft").exists() and snapshots(data) != []:
        raise DataDirectoryError(
            f"Vault in {place} is gone, its snapshots are in {data.backup / 'vault'}; bring it "
            "back with: careline vault restore"
        )


def restore_snapshot(client: hvac.Client, content: bytes) -> None:
    """Replace all that a new Vault has; the client's token is nothing afterwards.

    Raises SnapshotRefused.
    """
    try:
        client.sys.force_restore_raft_snapshot(content)
    except (VaultError, requests.RequestException) as error:
        raise SnapshotRefused(f"Vault took no snapshot back ({type(error).__name__})") from None


def _keep(folder: Path, content: bytes, now: datetime) -> Snapshot:
    """Write the checksum, then the snapshot: one that is there is whole."""
    private_folder(folder)
    snapshot = Snapshot(folder / (now.astimezone(UTC).strftime(_STAMP) + _SUFFIX))
    digest = hashlib.sha256(content).hexdigest()
    write_private(snapshot.checksum_file, f"{digest}  {snapshot.file.name}\n")
    write_private(snapshot.file, content)
    return snapshot
