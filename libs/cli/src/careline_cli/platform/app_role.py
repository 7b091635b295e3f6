"""What a person's program signs in to Vault with, and the signing in."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import hvac
from embedded import write_private

VAULT_SECONDS: Final = 30


@dataclass(frozen=True, slots=True)
class AppRole:
    """A role id and its secret id, kept in a file of mode 0600."""

    role_id: str
    secret_id: str = field(repr=False)


def keep_app_role(file: Path, role: AppRole) -> None:
    write_private(file, json.dumps({"role_id": role.role_id, "secret_id": role.secret_id}))


def kept_app_role(file: Path) -> AppRole:
    return AppRole(**json.loads(file.read_text()))


def signed_in(url: str, role: AppRole) -> hvac.Client:
    """Give a client that is signed in; raises hvac's errors."""
    client = hvac.Client(url, timeout=VAULT_SECONDS)
    client.auth.approle.login(role.role_id, role.secret_id)
    return client
