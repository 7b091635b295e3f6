"""Tokens that principals call with."""

import time
import uuid
from collections.abc import Mapping
from typing import Any, Final

from runtime.principal import Principal, PrincipalKind, is_name_of
from runtime.service_names import SERVICES
from runtime.tenant import ALL_TENANTS, is_tenant
from runtime.tokens.jwt import LEEWAY_SECONDS, JwtExpired, JwtInvalid, signed_jwt, verified_claims
from runtime.tokens.public_keys import PublicKeys
from runtime.tokens.signing import Signer

AUDIENCE: Final = "careline"
LONGEST_LIFE_SECONDS: Final = 3600
TOKEN_KEYS: Final = frozenset({"token-operator", *(f"token-{service}" for service in SERVICES)})
_KIND: Final = "careline-token+jwt"
_REQUIRED: Final = ("sub", "tenant", "kind", "roles", "channels")
_LARGEST_LIST = 64
_MOST_REMEMBERED = 4096
_REMEMBERED_SECONDS = 30.0


class TokenIssuer:
    """Issues tokens with one Transit key, whose name limits whom they can speak for."""

    def __init__(self, signer: Signer, key: str) -> None:
        if key not in TOKEN_KEYS:
            raise ValueError(f"{key} is no key for tokens; use one of {sorted(TOKEN_KEYS)}")
        self._signer = signer
        self._key = key

    async def issue(self, principal: Principal, lifetime: float) -> str:
        """Sign a token for `lifetime` seconds, at most an hour."""
        if not _may_speak_for(self._key, principal.kind, principal.name):
            raise ValueError(f"{self._key} can not speak for this kind of principal")
        if not 0 < lifetime <= LONGEST_LIFE_SECONDS:
            raise ValueError(f"a token lives for at most {LONGEST_LIFE_SECONDS} s")
        now = int(time.time())
        tenants = sorted(principal.tenants)
        claims = {
            "iss": self._key.removeprefix("token-"),
            "sub": principal.name,
            "aud": AUDIENCE,
            "tenant": tenants[0] if len(tenants) == 1 else tenants,
            "kind": principal.kind.value,
            "roles": sorted(principal.roles),
            "channels": sorted(principal.channels),
            "sid": principal.session,
            "iat": now,
            "nbf": now,
            "exp": now + int(lifetime),
            "jti": str(uuid.uuid4()),
        }
        return await signed_jwt(self._signer, self._key, _KIND, claims)


class TokenVerifier:
    """Tells who a token speaks for.

    What was verified is remembered for half a minute, within the token's life, so that a signature
    is checked once and not on every call.
    """

    def __init__(self, keys: PublicKeys) -> None:
        self._keys = keys
        self._remembered: dict[str, tuple[float, int, Principal]] = {}

    async def verify(self, text: str) -> Principal:
        """Give the principal; raises JwtInvalid, JwtExpired or SigningKeysUnavailable."""
        remembered = self._remembered.get(text)
        if remembered is not None and time.monotonic() < remembered[0]:
            if time.time() > remembered[1] + LEEWAY_SECONDS:
                raise JwtExpired("expired")
            return remembered[2]
        key, claims = await verified_claims(
            text, self._keys, kind=_KIND, audience=AUDIENCE, required=_REQUIRED
        )
        principal = _principal_of(key, claims)
        while len(self._remembered) >= _MOST_REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        self._remembered.pop(text, None)
        self._remembered[text] = (time.monotonic() + _REMEMBERED_SECONDS, claims["exp"], principal)
        return principal


def _may_speak_for(key: str, kind: PrincipalKind, name: str) -> bool:
    """Hold the rule of who may be the subject of a key's tokens."""
    if not is_name_of(kind, name):
        return False
    match kind:
        case PrincipalKind.AGENT | PrincipalKind.FRONTEND:
            return key == "token-identity"
        case PrincipalKind.OPERATOR:
            return key == "token-operator"
        case PrincipalKind.SERVICE:
            return key != "token-operator" and name == f"services/{key.removeprefix('token-')}"


def _principal_of(key: str, claims: Mapping[str, Any]) -> Principal:
    """Check every claim's shape; raises JwtInvalid."""
    try:
        kind = PrincipalKind(claims["kind"])
    except ValueError:
        raise JwtInvalid("no kind of principal") from None
    name, session = claims["sub"], claims.get("sid", "")
    if claims["iss"] != key.removeprefix("token-") or not _may_speak_for(key, kind, name):
        raise JwtInvalid("the key can not speak for the subject")
    if not isinstance(session, str) or not isinstance(claims["jti"], str):
        raise JwtInvalid("a claim of another type")
    issued, expires = claims["iat"], claims["exp"]
    if not isinstance(issued, int) or not isinstance(expires, int):
        raise JwtInvalid("a time that is no whole second")
    if not 0 < expires - issued <= LONGEST_LIFE_SECONDS:
        raise JwtInvalid("lives longer than a token may")
    return Principal(
        kind,
        name,
        _tenants(kind, claims["tenant"]),
        _words(claims["roles"]),
        _words(claims["channels"]),
        session,
    )


def _tenants(kind: PrincipalKind, claim: object) -> frozenset[str]:
    """Take one tenant; of an operator also several, of a service also all."""
    if claim == ALL_TENANTS and kind is PrincipalKind.SERVICE:
        return frozenset({ALL_TENANTS})
    if isinstance(claim, list) and kind is PrincipalKind.OPERATOR:
        tenants = _words(claim)
    else:
        tenants = _words([claim])
    if not tenants or not all(is_tenant(tenant) for tenant in tenants):
        raise JwtInvalid("no tenant")
    return tenants


def _words(claim: object) -> frozenset[str]:
    if not isinstance(claim, list) or len(claim) > _LARGEST_LIST:
        raise JwtInvalid("a list was expected")
    if not all(isinstance(word, str) and 0 < len(word) <= _LARGEST_LIST for word in claim):
        raise JwtInvalid("a list of words was expected")
    return frozenset(claim)
