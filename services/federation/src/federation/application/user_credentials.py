"""Credentials of a partner's user, which the same request gives again without their being kept."""

import hashlib
import hmac
from datetime import datetime
from typing import Final
from uuid import UUID

import nkeys
from messaging.accounts import Account, Credentials
from messaging.claims import signed_claims
from messaging.partner_account import PartnerStream
from messaging.signing_key import KeyKind, SigningKey

_PURPOSE: Final = b"careline/federation/partner-user/1\0"
_UNLIMITED: Final = -1


def user_key(account: Account, request: UUID) -> SigningKey:
    """Derive a user's key from its account's: whoever holds that can make any user anyway."""
    seed = hmac.new(
        account.signing.seed.encode(), _PURPOSE + request.bytes, hashlib.sha256
    ).digest()
    encoded = nkeys.encode_seed(seed, KeyKind.USER.value)
    return SigningKey.from_seed(KeyKind.USER, encoded.decode())


def user_credentials(
    account: Account, partner_key: str, user: SigningKey, expires: datetime
) -> Credentials:
    """Make a .creds file's content for a user who pulls and acknowledges, and no more."""
    claims: dict[str, object] = {
        "type": "user",
        "issuer_account": account.public,
        "subs": _UNLIMITED,
        "data": _UNLIMITED,
        "payload": _UNLIMITED,
        **PartnerStream(partner_key).permissions().claims(),
    }
    jwt = signed_claims(
        account.signing, subject=user.public, name=partner_key, nats=claims, expires=expires
    )
    text = (
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
    )
    return Credentials(partner_key, user.public, text)
