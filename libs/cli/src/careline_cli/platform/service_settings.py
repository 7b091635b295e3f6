"""What the services of a platform on this machine are told, except how they sign in."""

from pathlib import Path

from embedded import PostgresServer

from careline_cli.platform.data_directory import Addresses, DataDirectory
from careline_cli.provision.provisioned import KEYRING_DATABASE, PLATFORM_DATABASE


def service_settings(data: DataDirectory, addresses: Addresses, service: str) -> dict[str, str]:
    """Give a service's settings by name, without the prefix of their variables."""
    peers = (f"{peer}={target}" for peer, target in addresses.services.items())
    return {
        "DATABASE": _database(PLATFORM_DATABASE, data.root / "postgres"),
        "KEYRING_DATABASE": _database(KEYRING_DATABASE, data.root / "keyring"),
        "VAULT_ADDRESS": addresses.vault,
        "NATS_URL": addresses.nats,
        "ARCHIVE_URL": data.archive.as_uri(),
        "PEERS": ",".join(peers),
        "GRPC_LISTEN": addresses.services[service],
        "HEALTH_LISTEN": addresses.health[service],
        **_own_settings(service, data.services / service),
    }


def _own_settings(service: str, folder: Path) -> dict[str, str]:
    """Keep what a service spills to disk below the data directory, too."""
    return {"SPILL_DIRECTORY": str(folder)} if service == "patient_context" else {}


def _database(name: str, folder: Path) -> str:
    return f"postgresql:///{name}?host={PostgresServer(folder).socket_dir}"
