"""Vault Transit by hvac, as the keyring asks for it."""

import asyncio
import base64

import hvac
import requests
from hvac.exceptions import VaultDown
from sealing.keyring import TransitUnavailable

MOUNT = "transit-sealing"


class HvacTransit:
    """Wraps under `tenant-<tenant>` of the mount; counts its calls."""

    def __init__(self, client: hvac.Client) -> None:
        self._client = client
        self._one_at_a_time = asyncio.Lock()
        self.wraps = 0
        self.unwraps = 0

    async def wrap(self, tenant: str, plaintext: bytes) -> str:
        self.wraps += 1
        encoded = base64.b64encode(plaintext).decode()
        answer = await self._call("encrypt", tenant, {"plaintext": encoded})
        return answer["ciphertext"]

    async def unwrap(self, tenant: str, wrapped: str) -> bytes:
        self.unwraps += 1
        answer = await self._call("decrypt", tenant, {"ciphertext": wrapped})
        return base64.b64decode(answer["plaintext"])

    async def _call(self, verb: str, tenant: str, body: dict[str, str]) -> dict[str, str]:
        path = f"{MOUNT}/{verb}/tenant-{tenant}"
        async with self._one_at_a_time:
            try:
                answer = await asyncio.to_thread(self._client.write_data, path, data=body)
            except (VaultDown, requests.ConnectionError) as error:
                raise TransitUnavailable from error
        assert isinstance(answer, dict)
        data: dict[str, str] = answer["data"]
        return data


def mount_transit(client: hvac.Client) -> None:
    """Mount Transit, unless it is there."""
    if f"{MOUNT}/" not in client.sys.list_mounted_secrets_engines()["data"]:
        client.sys.enable_secrets_engine("transit", path=MOUNT)
