import base64
import json
from datetime import UTC, datetime
from typing import Any

import nkeys
import pytest
from messaging.accounts import Account, AccountLimits, NatsOperator
from messaging.permissions import Permissions
from messaging.signing_key import KeyKind, SeedInvalid, SigningKey

NOBODY = Permissions((), ())


def claims_of(jwt: str) -> dict[str, Any]:
    header, claims, signature = (
        base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in jwt.split(".")
    )
    assert json.loads(header) == {"typ": "JWT", "alg": "ed25519-nkey"}
    decoded: dict[str, Any] = json.loads(claims)
    signed = jwt.rpartition(".")[0].encode()
    assert verified(decoded["iss"], signed, signature)
    return decoded


def verified(public: str, signed: bytes, signature: bytes) -> bool:
    raw = base64.b32decode(public)[1:33]
    nkeys.nacl.signing.VerifyKey(raw).verify(signed, signature)
    return True


def test_secrets_are_never_printed() -> None:
    operator = NatsOperator.generate()
    credentials = operator.platform.credentials("routing", NOBODY)
    seeds = [seed for kept in operator.seeds().values() for seed in kept.values()]
    seeds.append(credentials.text.split("-----")[6].strip())
    shown = f"{operator!r} {operator.platform!r} {credentials!r} {operator.identity!s}"
    assert all(len(seed) == 58 and seed not in shown for seed in seeds)


def test_users_are_signed_by_the_accounts_signing_key_for_the_account() -> None:
    account = Account.generate("PLATFORM")
    credentials = account.credentials("routing", Permissions(("a",), ("b",)))
    claims = claims_of(credentials.text.splitlines()[1])
    assert claims["iss"] == account.signing.public
    assert claims["sub"] == credentials.public
    assert claims["nats"]["issuer_account"] == account.public
    assert claims["nats"]["pub"] == {"allow": ["a"]}
    assert claims["nats"]["sub"] == {"allow": ["b"]}
    assert "exp" not in claims


def test_what_expires_and_what_is_revoked_stands_in_the_claims_in_unix_seconds() -> None:
    operator = NatsOperator.generate()
    then = datetime(2026, 11, 23, tzinfo=UTC)
    user = operator.platform.credentials("guest", NOBODY, expires=then)
    assert claims_of(user.text.splitlines()[1])["exp"] == 1795392000
    jwt = operator.account_jwt(
        operator.platform, limits=AccountLimits(), revocations={user.public: then}
    )
    assert claims_of(jwt)["nats"]["revocations"] == {user.public: 1795392000}


def test_an_account_without_storage_has_no_jetstream() -> None:
    operator = NatsOperator.generate()
    partner = operator.account_jwt(operator.system, limits=AccountLimits(connections=3))
    assert "disk_storage" not in claims_of(partner)["nats"]["limits"]
    assert claims_of(partner)["nats"]["limits"]["conn"] == 3
    assert claims_of(operator.platform_jwt())["nats"]["limits"]["disk_storage"] == -1


def test_keys_come_back_from_their_seeds() -> None:
    operator = NatsOperator.generate()
    assert NatsOperator.from_seeds(operator.seeds()) == operator


@pytest.mark.parametrize("kind", list(KeyKind))
def test_a_seed_of_another_kind_or_with_a_typo_is_refused(kind: KeyKind) -> None:
    seed = SigningKey.generate(kind).seed
    other = KeyKind.USER if kind is not KeyKind.USER else KeyKind.ACCOUNT
    typo = seed[:20] + ("A" if seed[20] != "A" else "B") + seed[21:]
    for wrong in (typo, seed[:-4], "", "not a seed", seed.lower()):
        with pytest.raises(SeedInvalid):
            SigningKey.from_seed(kind, wrong)
    with pytest.raises(SeedInvalid):
        SigningKey.from_seed(other, seed)
