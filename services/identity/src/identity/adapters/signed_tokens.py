"""Access tokens from runtime's issuer, with the id and end that stand in them."""

import base64
import json
from datetime import UTC, datetime, timedelta

from runtime.principal import Principal
from runtime.tokens.token import TokenIssuer

from identity.application.access_tokens import AccessToken


class SignedTokens:
    """AccessTokens signed with this service's key in Vault Transit."""

    def __init__(self, issuer: TokenIssuer) -> None:
        self._issuer = issuer

    async def issue(self, principal: Principal, lifetime: timedelta) -> AccessToken:
        text = await self._issuer.issue(principal, lifetime.total_seconds())
        payload = text.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return AccessToken(text, claims["jti"], datetime.fromtimestamp(claims["exp"], UTC))
