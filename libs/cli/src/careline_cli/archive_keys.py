"""The public keys that archives are verified with: Vault's, or a file's where there is no Vault."""

import base64
import json
from collections.abc import Mapping
from pathlib import Path

import hvac
import requests
from eventstore.archive.signing import PublicKeys, signing_key
from hvac.exceptions import VaultError

from careline_cli.command_error import CommandError
from careline_cli.platform.app_role import kept_app_role, signed_in
from careline_cli.platform.data_directory import DataDirectory

KeysOfLogs = Mapping[str, PublicKeys]
"""By log, raw ed25519 public keys by version."""


def keys_in_vault(data: DataDirectory, vault: str, services: tuple[str, ...]) -> KeysOfLogs:
    """Read the keys as the data directory's operator; raises CommandError."""
    try:
        client = signed_in(vault, kept_app_role(data.secrets / "operator.approle.json"))
        return {service: _versions(client, signing_key(service)) for service in services}
    except (VaultError, requests.RequestException, FileNotFoundError) as error:
        raise CommandError(
            f"the operator cannot read the archive's keys ({type(error).__name__}); see: careline "
            "status, or give --public-keys"
        ) from None


def write_keys(keys: KeysOfLogs) -> str:
    """Give JSON to keep apart from the archive: {"conversations": {"1": "<base64>"}}."""
    encoded = {
        log: {str(version): base64.b64encode(key).decode() for version, key in versions.items()}
        for log, versions in keys.items()
    }
    return json.dumps(encoded, indent=2)


def read_keys(file: Path) -> KeysOfLogs:
    """Read what `write_keys` gave; raises CommandError."""
    try:
        return {
            log: {int(version): base64.b64decode(key) for version, key in versions.items()}
            for log, versions in json.loads(file.read_text()).items()
        }
    except (OSError, ValueError, AttributeError) as error:
        raise CommandError(
            f"{file} holds no public keys ({type(error).__name__}); make one with: careline "
            "archive keys"
        ) from None


def keys_of(keys: KeysOfLogs, log: str) -> PublicKeys:
    """Give a log's keys; raises CommandError when there are none."""
    if not keys.get(log):
        raise CommandError(f"there is no public key of the archive of {log}")
    return keys[log]


def _versions(client: hvac.Client, key: str) -> PublicKeys:
    versions = client.secrets.transit.read_key(key)["data"]["keys"].items()
    return {int(version): base64.b64decode(entry["public_key"]) for version, entry in versions}
