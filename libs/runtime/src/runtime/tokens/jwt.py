"""Compact JWTs whose only algorithm is EdDSA and whose key id is "<transit key>:v<version>"."""

import base64
import json
import re
from collections.abc import Collection, Mapping
from typing import Any, Final

import jwt
from jwt.types import Options

from runtime.tokens.public_keys import PublicKeys, UnknownSigningKey
from runtime.tokens.signing import Signer

LARGEST_TOKEN: Final = 4096
LEEWAY_SECONDS: Final = 5.0
_KEY_ID = re.compile(r"([a-z][a-z0-9_-]{1,63}):v([1-9][0-9]{0,5})")
_HEADER_FIELDS = frozenset({"alg", "kid", "typ"})
_TIMES_AND_PLACE = frozenset({"aud", "iss", "exp", "nbf", "iat", "jti"})


class JwtInvalid(Exception):
    """The text is no JWT of ours for this use. The text says why in fixed words."""


class JwtExpired(JwtInvalid):
    """The JWT was good once."""


async def signed_jwt(signer: Signer, key: str, kind: str, claims: Mapping[str, Any]) -> str:
    """Sign claims with a key's newest version; `kind` is the header's typ.

    A key that turns over between the look at its version and the signature is asked once more.
    """
    for _ in range(2):
        version = await signer.newest_version(key)
        header = {"alg": "EdDSA", "kid": f"{key}:v{version}", "typ": kind}
        signing_input = f"{_encoded(header)}.{_encoded(claims)}"
        signed_with, signature = await signer.sign(key, signing_input.encode())
        if signed_with == version:
            return f"{signing_input}.{_base64url(signature)}"
    raise JwtInvalid("the signing key keeps changing")


async def verified_claims(
    text: str, keys: PublicKeys, *, kind: str, audience: str, required: Collection[str]
) -> tuple[str, Mapping[str, Any]]:
    """Verify a JWT and give the name of the key that signed it and its claims.

    Raises JwtInvalid, JwtExpired, or SigningKeysUnavailable when the keys can not be had.
    """
    if len(text) > LARGEST_TOKEN:
        raise JwtInvalid("larger than a token")
    name, version = _key_id(text, kind)
    try:
        key = await keys.get(name, version)
    except UnknownSigningKey:
        raise JwtInvalid("signed by an unknown key") from None
    options: Options = {
        "require": sorted(_TIMES_AND_PLACE | set(required)),
        "strict_aud": True,
    }
    try:
        claims: Mapping[str, Any] = jwt.decode(
            text, key, ["EdDSA"], options, audience=audience, leeway=LEEWAY_SECONDS
        )
    except jwt.ExpiredSignatureError:
        raise JwtExpired("expired") from None
    except jwt.InvalidTokenError as error:
        raise JwtInvalid(type(error).__name__) from None
    return name, claims


def _key_id(text: str, kind: str) -> tuple[str, int]:
    try:
        header = jwt.get_unverified_header(text)
    except jwt.InvalidTokenError as error:
        raise JwtInvalid(type(error).__name__) from None
    if set(header) != _HEADER_FIELDS or header["alg"] != "EdDSA" or header["typ"] != kind:
        raise JwtInvalid("another header than ours")
    match = _KEY_ID.fullmatch(str(header["kid"]))
    if match is None:
        raise JwtInvalid("no key id of ours")
    return match[1], int(match[2])


def _encoded(part: Mapping[str, Any]) -> str:
    return _base64url(json.dumps(part, separators=(",", ":")).encode())


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
