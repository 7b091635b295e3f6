"""The public keys that tokens and assertions are signed with, as a JSON Web Key Set."""

import asyncio
import base64
import json
from typing import Any, Final

from runtime.tokens.caller_assertion import KEY as ASSERTION_KEY
from runtime.tokens.signing import PublicKeySource

PUBLISHED: Final = ("token-identity", ASSERTION_KEY)
_FRESH_SECONDS: Final = 30.0


class SigningKeys:
    """Asks Vault at most every half minute, whoever asks; raises VaultUnavailable."""

    def __init__(self, source: PublicKeySource) -> None:
        self._source = source
        self._lock = asyncio.Lock()
        self._jwks = ""
        self._fresh_until = 0.0

    async def jwks(self) -> str:
        """Give all versions of the published keys (RFC 7517; OKP keys: RFC 8037)."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if not self._jwks or now >= self._fresh_until:
                self._jwks = json.dumps({"keys": await self._keys()}, separators=(",", ":"))
                self._fresh_until = now + _FRESH_SECONDS
            return self._jwks

    async def _keys(self) -> list[dict[str, Any]]:
        return [
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "use": "sig",
                "alg": "EdDSA",
                "kid": f"{name}:v{version}",
                "x": base64.urlsafe_b64encode(key).rstrip(b"=").decode(),
            }
            for name in PUBLISHED
            for version, key in sorted((await self._source.public_keys(name)).items())
        ]
