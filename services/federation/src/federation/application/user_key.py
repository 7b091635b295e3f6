"""The key of a partner's user, which the same request gives again without its being kept."""

import hashlib
import hmac
from typing import Final
from uuid import UUID

import nkeys
from messaging.accounts import Account
from messaging.signing_key import KeyKind, SigningKey

_PURPOSE: Final = b"careline/federation/partner-user/1\0"


def user_key(account: Account, request: UUID) -> SigningKey:
    """Derive a user's key from its account's: whoever holds that can make any user anyway."""
    seed = hmac.new(
        account.signing.seed.encode(), _PURPOSE + request.bytes, hashlib.sha256
    ).digest()
    encoded = nkeys.encode_seed(seed, KeyKind.USER.value)
    return SigningKey.from_seed(KeyKind.USER, encoded.decode())
