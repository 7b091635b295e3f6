"""The texts that a session is gone on with: proof of the first factor, and refresh tokens.

Each is a MAC under the session's own random key, so that nothing has to be kept for a token, a
repeated request is given the same one again, and a refresh token says which one of its session it
is: one that was used before is known by its number.
"""

import base64
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sealing.framing import framed

_TEXT = re.compile(
    r"(factor|refresh)\.([a-z][a-z0-9-]{1,31})\.([0-9a-f-]{36})\.(0|[1-9][0-9]{0,8})\.([\w-]{43})",
    re.ASCII,
)
KEY_BYTES: Final = 32


class TokenKind(StrEnum):
    FACTOR = "factor"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class SessionToken:
    """A token somebody presents; `session` is a name, "sessions/<id>". Unproven until `holds`."""

    kind: TokenKind
    tenant: str
    session: str
    number: int
    proof: str

    def holds(self, key: bytes) -> bool:
        """Tell whether the session's key made it."""
        return hmac.compare_digest(self.proof, _proof(self, key))

    def __str__(self) -> str:
        identifier = self.session.removeprefix("sessions/")
        return f"{self.kind}.{self.tenant}.{identifier}.{self.number}.{self.proof}"


def make_token(kind: TokenKind, tenant: str, session: str, number: int, key: bytes) -> str:
    """Make a token of a session; `number` counts its refresh tokens from 0."""
    bare = SessionToken(kind, tenant, session, number, "")
    return str(SessionToken(kind, tenant, session, number, _proof(bare, key)))


def read_token(text: str, kind: TokenKind) -> SessionToken | None:
    """Read a presented token; None for what has not the form of this kind."""
    match = _TEXT.fullmatch(text)
    if match is None or match[1] != kind:
        return None
    return SessionToken(kind, match[2], f"sessions/{match[3]}", int(match[4]), match[5])


def _proof(token: SessionToken, key: bytes) -> str:
    parts = framed("careline.identity.session", token.kind, token.tenant, token.session)
    mac = hmac.digest(key, parts + token.number.to_bytes(4, "big"), "sha256")
    return base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
