"""The operator's token: signed in Vault by the operator's own key."""

import asyncio
import base64
import time

import hvac
import requests
from hvac.exceptions import VaultError
from runtime.principal import Principal, PrincipalKind
from runtime.tokens.token import TokenIssuer

from careline_cli.platform.app_role import kept_app_role, signed_in
from careline_cli.platform.data_directory import Addresses, DataDirectory, DataDirectoryError
from careline_cli.tenant import DEMO_TENANT

KEY = "token-operator"
OPERATOR = Principal(PrincipalKind.OPERATOR, "operators/local", frozenset({DEMO_TENANT}))
LIFETIME_SECONDS = 300.0


class TransitSigner:
    """Signs with one client's rights in Vault Transit."""

    def __init__(self, client: hvac.Client) -> None:
        self._client = client

    async def sign(self, key: str, data: bytes) -> tuple[int, bytes]:
        encoded = base64.b64encode(data).decode()
        answer = await asyncio.to_thread(
            self._client.secrets.transit.sign_data, key, hash_input=encoded
        )
        _, version, signature = answer["data"]["signature"].split(":")
        return int(version.removeprefix("v")), base64.b64decode(signature)

    async def newest_version(self, key: str) -> int:
        answer = await asyncio.to_thread(self._client.secrets.transit.read_key, key)
        return int(answer["data"]["latest_version"])


class OperatorToken:
    """Gives the operator's token, issued anew when a third of its life is left."""

    def __init__(self, data: DataDirectory, addresses: Addresses) -> None:
        self._file = data.secrets / "operator.approle.json"
        self._vault = addresses.vault
        self._text = ""
        self._renew_at = 0.0

    async def token(self) -> str:
        """Give a token; raises DataDirectoryError when the operator can not sign in."""
        if time.monotonic() >= self._renew_at:
            try:
                role = kept_app_role(self._file)
                client = await asyncio.to_thread(signed_in, self._vault, role)
                issuer = TokenIssuer(TransitSigner(client), KEY)
                self._text = await issuer.issue(OPERATOR, LIFETIME_SECONDS)
            except (VaultError, requests.RequestException, FileNotFoundError) as error:
                raise DataDirectoryError(
                    f"the operator cannot sign in ({type(error).__name__}); see: careline status"
                ) from None
            self._renew_at = time.monotonic() + LIFETIME_SECONDS * 2 / 3
        return self._text
