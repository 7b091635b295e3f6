"""Keys that never leave Vault: signing tokens, wrapping the keys of tenants."""

import asyncio
import base64
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from sealing.keyring.transit import TransitUnavailable

from runtime.vault.errors import VaultAbsent, VaultRefusedInput, VaultUnavailable
from runtime.vault.session import VaultSession

_VERSION_REMEMBERED_SECONDS: Final = 30.0


class TransitSigner:
    """Signs with ed25519 keys and hands out their public keys; raises VaultUnavailable."""

    def __init__(self, session: VaultSession) -> None:
        self._session = session
        self._newest: dict[str, tuple[float, int]] = {}

    async def sign(self, key: str, data: bytes) -> tuple[int, bytes]:
        """Sign with the newest version of an ed25519 key; gives the version and 64 bytes."""
        answer = await self._session.call(
            lambda client: client.secrets.transit.sign_data(key, _base64(data))
        )
        _, version, signature = str(answer["data"]["signature"]).split(":", 2)
        number = int(version.removeprefix("v"))
        self._remember(key, number)
        return number, base64.b64decode(signature)

    async def newest_version(self, key: str) -> int:
        """Tell which version signs now; remembered for half a minute."""
        remembered = self._newest.get(key)
        if remembered is not None and _now() < remembered[0]:
            return remembered[1]
        keys = await self.public_keys(key)
        if not keys:
            raise VaultAbsent(f"Vault has no Transit key {key}; provision it")
        self._remember(key, max(keys))
        return max(keys)

    async def public_keys(self, key: str) -> Mapping[int, bytes]:
        """Give raw 32-byte ed25519 public keys by version; empty when there is no such key."""
        try:
            answer = await self._session.call(lambda client: client.secrets.transit.read_key(key))
        except VaultAbsent:
            return {}
        if answer["data"]["type"] != "ed25519":
            return {}
        versions = answer["data"]["keys"].items()
        return {int(version): base64.b64decode(entry["public_key"]) for version, entry in versions}

    def _remember(self, key: str, version: int) -> None:
        self._newest[key] = (_now() + _VERSION_REMEMBERED_SECONDS, version)


class KeyringTransit:
    """Wraps tenants' keys for sealing's keyring, which waits for a Vault that is away."""

    def __init__(self, session: VaultSession) -> None:
        self._session = session

    async def wrap(self, tenant: str, plaintext: bytes) -> str:
        with _away_said_so():
            answer = await self._session.call(
                lambda client: client.secrets.transit.encrypt_data(
                    f"tenant-{tenant}", _base64(plaintext)
                )
            )
        return str(answer["data"]["ciphertext"])

    async def unwrap(self, tenant: str, wrapped: str) -> bytes:
        """Unwrap what `wrap` gave; raises VaultRefusedInput for anything else."""
        with _away_said_so():
            answer = await self._session.call(
                lambda client: client.secrets.transit.decrypt_data(f"tenant-{tenant}", wrapped)
            )
        return base64.b64decode(answer["data"]["plaintext"])


@contextmanager
def _away_said_so() -> Iterator[None]:
    try:
        yield
    except (VaultAbsent, VaultRefusedInput):
        raise
    except VaultUnavailable as error:
        raise TransitUnavailable(str(error)) from error


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _now() -> float:
    return asyncio.get_running_loop().time()
