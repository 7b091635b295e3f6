"""Needles put where no contact brings any, packed as stores pack: the scan must see those, too."""

import gzip
from pathlib import Path

from careline_cli.platform.app_role import kept_app_role, signed_in
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.provision.provisioned import KEYRING_DATABASE
from careline_cli.provision.vault import INSTALLER, VaultProvisioner
from e2e.clear_scan.jetstream_messages import everything
from e2e.clear_scan.needles import Needle
from e2e.clear_scan.postgres_rows import connected
from e2e.clear_scan.servers import Servers
from eventstore.archive.compression import compress
from nats.js.api import StoreCompression, StreamConfig

# Long and even, so that whatever compresses does.
PADDING = "x" * 8192

PLANTED_IN = frozenset(
    {
        "files/archive/planted",
        "files/log",
        "files/secrets",
        "names of files",
        "rows/keyring/keyring.planted",
        "messages/PLANTED",
        "secrets",
    }
)


async def plant(servers: Servers, needle: Needle) -> None:
    """Put the needle into every store of PLANTED_IN."""
    _plant_files(servers.data, needle.text)
    padded = f"{PADDING}{needle.text}{PADDING}"
    async with connected(servers.keyring, KEYRING_DATABASE) as connection:
        await connection.execute("create table keyring.planted (content text)")
        await connection.execute("insert into keyring.planted values ($1)", padded)
    operator = await servers.operator()
    async with everything(servers.nats(operator).url, operator) as client:
        await client.jetstream().add_stream(
            StreamConfig("PLANTED", subjects=["planted"], compression=StoreCompression.S2)
        )
        await client.jetstream().publish("planted", padded.encode())
    role = kept_app_role(servers.data.secrets / f"{INSTALLER}.approle.json")
    vault = VaultProvisioner(signed_in(servers.vault.url, role))
    vault.put_secret("careline/planted", {"content": needle.text})
    vault.revoke_own_token()


def _plant_files(data: DataDirectory, text: str) -> None:
    rotated: Path = data.logs / "conversations.log.1.gz"
    rotated.write_bytes(gzip.compress(f"{PADDING}{text}{PADDING}".encode()))
    segment = data.archive / "planted" / "segment.zst"
    segment.parent.mkdir()
    segment.write_bytes(compress(f"{PADDING}{text}{PADDING}".encode()))
    (data.secrets / text).touch()
    (data.secrets / "hexadecimal").write_text(text.upper().encode().hex())
