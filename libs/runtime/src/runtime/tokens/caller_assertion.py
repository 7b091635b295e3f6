"""The level that a caller reached, as a signed assertion bound to conversation and patient."""

import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from runtime.purpose_of_use import PurposeOfUse
from runtime.tenant import is_tenant
from runtime.tokens.jwt import JwtInvalid, signed_jwt, verified_claims
from runtime.tokens.public_keys import PublicKeys
from runtime.tokens.signing import Signer

KEY: Final = "assertion-identity"
AUDIENCE: Final = "careline-caller-assertion"
LONGEST_LIFE_SECONDS: Final = 900
_KIND: Final = "careline-caller-assertion+jwt"
_REQUIRED: Final = ("tenant", "conversation", "patient", "level", "purpose")


class CallerLevel(IntEnum):
    """How sure we are of who calls; a higher level may do what a lower one may."""

    ANONYMOUS = 0
    MATCHED = 1
    VERIFIED = 2
    HIGH = 3


class AssertionInvalid(Exception):
    """Missing, expired, forged, or of another tenant, conversation or patient. Verify again."""


@dataclass(frozen=True, slots=True)
class CallerAssertion:
    """What identity vouches for. `conversation` and `patient` are resource names."""

    tenant: str
    conversation: str
    patient: str
    level: CallerLevel
    purpose: PurposeOfUse


class CallerAssertionSigner:
    """Signs assertions; identity alone may."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    async def sign(self, assertion: CallerAssertion, lifetime: float = LONGEST_LIFE_SECONDS) -> str:
        """Sign for `lifetime` seconds, at most 15 minutes; raises VaultUnavailable."""
        if not 0 < lifetime <= LONGEST_LIFE_SECONDS:
            raise ValueError(f"an assertion lives for at most {LONGEST_LIFE_SECONDS} s")
        now = int(time.time())
        claims = {
            "iss": "identity",
            "aud": AUDIENCE,
            "tenant": assertion.tenant,
            "conversation": assertion.conversation,
            "patient": assertion.patient,
            "level": assertion.level.name.lower(),
            "purpose": assertion.purpose.value,
            "iat": now,
            "nbf": now,
            "exp": now + int(lifetime),
            "jti": str(uuid.uuid4()),
        }
        return await signed_jwt(self._signer, KEY, _KIND, claims)


class CallerAssertionVerifier:
    """Checks that an assertion holds for the tenant, conversation and patient at hand."""

    def __init__(self, keys: PublicKeys) -> None:
        self._keys = keys

    async def verify(
        self, text: str, *, tenant: str, conversation: str, patient: str
    ) -> CallerAssertion:
        """Give what is asserted; raises AssertionInvalid or SigningKeysUnavailable."""
        try:
            key, claims = await verified_claims(
                text, self._keys, kind=_KIND, audience=AUDIENCE, required=_REQUIRED
            )
        except JwtInvalid:
            raise AssertionInvalid("no valid assertion; verify the caller again") from None
        assertion = _assertion_of(claims)
        bound_to = (assertion.tenant, assertion.conversation, assertion.patient)
        if key != KEY or claims["iss"] != "identity" or bound_to != (tenant, conversation, patient):
            raise AssertionInvalid("the assertion is bound to something else; verify again")
        return assertion


def _assertion_of(claims: Mapping[str, Any]) -> CallerAssertion:
    issued, expires = claims["iat"], claims["exp"]
    if not isinstance(issued, int) or not isinstance(expires, int):
        raise AssertionInvalid("a time that is no whole second")
    if not 0 < expires - issued <= LONGEST_LIFE_SECONDS:
        raise AssertionInvalid("lives longer than an assertion may")
    texts = [claims[name] for name in _REQUIRED]
    if not all(isinstance(text, str) for text in texts) or not is_tenant(claims["tenant"]):
        raise AssertionInvalid("a claim of another type")
    try:
        level = CallerLevel[claims["level"].upper()]
        purpose = PurposeOfUse(claims["purpose"])
    except (KeyError, ValueError):
        raise AssertionInvalid("no level or purpose of ours") from None
    return CallerAssertion(
        claims["tenant"], claims["conversation"], claims["patient"], level, purpose
    )
