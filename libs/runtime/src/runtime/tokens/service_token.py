"""The token that a service calls others with, renewed before it ends."""

import asyncio
from typing import Final

from runtime.principal import service_principal
from runtime.tokens.signing import Signer
from runtime.tokens.token import TokenIssuer

LIFETIME_SECONDS: Final = 300.0


class ServiceToken:
    """Issues a service's own token when one is needed and keeps it for two thirds of its life."""

    def __init__(self, signer: Signer, service: str, lifetime: float = LIFETIME_SECONDS) -> None:
        self._issuer = TokenIssuer(signer, f"token-{service}")
        self._principal = service_principal(service)
        self._lifetime = lifetime
        self._lock = asyncio.Lock()
        self._text = ""
        self._renew_at = 0.0

    async def token(self) -> str:
        """Give a token with a third of its life left; raises VaultUnavailable."""
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if not self._text or now >= self._renew_at:
                self._text = await self._issuer.issue(self._principal, self._lifetime)
                self._renew_at = now + self._lifetime * 2 / 3
            return self._text
