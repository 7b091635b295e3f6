"""NATS JWTs: what an operator says of accounts and an account of users, signed with nkeys."""

import base64
import hashlib
import json
import time
from collections.abc import Mapping
from datetime import datetime

from messaging.signing_key import SigningKey

_HEADER = {"typ": "JWT", "alg": "ed25519-nkey"}
_CLAIMS_VERSION = 2


def signed_claims(
    issuer: SigningKey,
    *,
    subject: str,
    name: str,
    nats: Mapping[str, object],
    expires: datetime | None = None,
) -> str:
    """Return the JWT in which `issuer` says `nats` of the public key `subject`.

    `expires`, when given, ends the sessions that stand on it, too.
    """
    claims: dict[str, object] = {
        "iat": int(time.time()),
        "iss": issuer.public,
        "sub": subject,
        "name": name,
        "nats": {**nats, "version": _CLAIMS_VERSION},
    }
    if expires is not None:
        claims["exp"] = int(expires.timestamp())
    digest = hashlib.sha256(_json(claims)).digest()
    claims["jti"] = base64.b32encode(digest).decode().rstrip("=")
    signed = f"{_base64(_json(_HEADER))}.{_base64(_json(claims))}"
    return f"{signed}.{_base64(issuer.sign(signed.encode()))}"


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
