"""Signing in by AppRole, with ids that lie in private files."""

import logging
import uuid
from dataclasses import dataclass, field

from runtime.secret_reference import SecretFile
from runtime.vault.connection import VaultConnection
from runtime.vault.errors import (
    SignInRefused,
    VaultDenied,
    VaultRefusedInput,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class VaultToken:
    """A token and how long it lives, in seconds."""

    text: str = field(repr=False)
    lifetime: float
    renewable: bool


class AppRoleSignIn:
    """Signs in with a role id and a secret id.

    The secret id's file holds the id itself or a response-wrapping token of one. A wrapping token
    is unwrapped once and the id remembered; when the file changes, the new content is used.
    """

    def __init__(self, role_id_file: SecretFile, secret_id_file: SecretFile) -> None:
        self._role_id_file = role_id_file
        self._secret_id_file = secret_id_file
        self._seen = ""
        self._secret_id = ""

    async def sign_in(self, connection: VaultConnection) -> VaultToken:
        """Get a token; raises SecretUnreadable, SignInRefused or VaultUnavailable."""
        role_id = self._role_id_file.read()
        secret_id = await self._current_secret_id(connection)
        try:
            answer = await connection.run(
                "",
                lambda client: client.auth.approle.login(role_id, secret_id, use_token=False),
            )
        except (VaultDenied, VaultRefusedInput):
            raise SignInRefused(
                f"Vault refuses the sign-in; put a new secret id into {self._secret_id_file.path}"
            ) from None
        auth = answer["auth"]
        return VaultToken(auth["client_token"], float(auth["lease_duration"]), auth["renewable"])

    async def _current_secret_id(self, connection: VaultConnection) -> str:
        content = self._secret_id_file.read()
        if content != self._seen:
            self._secret_id = (
                content if _is_secret_id(content) else await self._unwrap(connection, content)
            )
            self._seen = content
        return self._secret_id

    async def _unwrap(self, connection: VaultConnection, wrapping_token: str) -> str:
        try:
            answer = await connection.run(wrapping_token, lambda client: client.sys.unwrap())
        except (VaultDenied, VaultRefusedInput):
            _log.error("vault wrapping token was used or has expired: if not by us, treat as theft")
            raise SignInRefused(
                "the wrapped secret id was used or has expired; put a new one into "
                f"{self._secret_id_file.path}"
            ) from None
        return str(answer["data"]["secret_id"])


def _is_secret_id(content: str) -> bool:
    """Tell a secret id, which is a UUID, from a wrapping token."""
    try:
        uuid.UUID(content)
    except ValueError:
        return False
    return True
