"""What the use cases need of whoever signs access tokens."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from runtime.principal import Principal


@dataclass(frozen=True, slots=True)
class AccessToken:
    """A signed token, its id (jti) and its end."""

    text: str = field(repr=False)
    id: str
    expires: datetime


class AccessTokens(Protocol):
    """Signs tokens in Vault; raises VaultUnavailable."""

    async def issue(self, principal: Principal, lifetime: timedelta) -> AccessToken: ...
