"""Service accounts: made by operators, signed in as by frontends; and the keys that sign."""

import asyncio
import json
from datetime import timedelta

import jwt
import pytest
from careline.identity.v1 import token_service_pb2 as pb2
from integration.identity.rig import DEMO, OTHER, Rig, whole_refusal
from integration.refusals import refusal, request_id
from jwt import PyJWK
from runtime.principal import PrincipalKind
from runtime.vault.errors import VaultUnavailable


async def token_of(
    rig: Rig, account: str, secret: str, tenant: str = DEMO
) -> pb2.IssueServiceTokenResponse:
    client = await rig.anonymous()
    return await client.tokens.IssueServiceToken(
        pb2.IssueServiceTokenRequest(tenant=tenant, service_account=account, secret=secret)
    )


async def disable(rig: Rig, account: str) -> int:
    operator = await rig.operator()
    answer = await operator.tokens.DisableServiceAccount(
        pb2.DisableServiceAccountRequest(
            request_id=request_id(), service_account=account, reason="RETIRED"
        )
    )
    return answer.position


async def test_a_secret_gives_a_token_for_a_quarter_of_an_hour(rig: Rig) -> None:
    created = await rig.account("CHAT", "SMS")
    name = created.service_account.name

    issued = await token_of(rig, name, created.secret)

    principal = await rig.serving.runtime.token_verifier.verify(issued.access_token)
    assert principal.kind is PrincipalKind.FRONTEND
    assert principal.name == name
    assert principal.tenants == {DEMO}
    assert principal.channels == {"CHAT", "SMS"}
    claims = jwt.decode(issued.access_token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 900
    assert claims["exp"] == issued.expire_time.ToSeconds()
    assert await rig.types(name) == ["ServiceAccountCreated", "ServiceAccountTokenIssued"]


async def test_a_secret_has_256_bits_and_stands_nowhere_in_clear(rig: Rig) -> None:
    created = await rig.account()
    rows = await rig.rows(
        "select secret_digest, sealed from identity.service_account_secret"
        " where service_account = :name",
        name=created.service_account.name,
    )

    assert len(created.secret) == 43
    assert created.secret.encode() not in b"".join(part for row in rows for part in row)


async def test_the_same_request_gives_the_same_secret_until_it_was_used(rig: Rig) -> None:
    operator = await rig.operator()
    request = pb2.CreateServiceAccountRequest(
        request_id=request_id(),
        service_account=pb2.ServiceAccount(display_name="ivr", channels=["VOICE"]),
    )
    first, second = await asyncio.gather(
        operator.tokens.CreateServiceAccount(request),
        operator.tokens.CreateServiceAccount(request),
    )
    await token_of(rig, first.service_account.name, first.secret)

    later = await operator.tokens.CreateServiceAccount(request)

    assert first == second
    assert (later.service_account, later.secret) == (first.service_account, "")
    assert (await token_of(rig, first.service_account.name, first.secret)).access_token


async def test_every_refusal_is_the_same(rig: Rig) -> None:
    good, disabled, locked = [await rig.account() for _ in range(3)]
    await disable(rig, disabled.service_account.name)
    for _ in range(5):
        await refusal(token_of(rig, locked.service_account.name, "wrong"))

    answers = {
        await whole_refusal(token_of(rig, good.service_account.name, "wrong")),
        await whole_refusal(token_of(rig, good.service_account.name, "")),
        await whole_refusal(token_of(rig, good.service_account.name, good.secret, OTHER)),
        await whole_refusal(token_of(rig, good.service_account.name, good.secret, "made-up")),
        await whole_refusal(token_of(rig, good.service_account.name, disabled.secret)),
        await whole_refusal(token_of(rig, f"serviceAccounts/{request_id()}", good.secret)),
        await whole_refusal(token_of(rig, disabled.service_account.name, disabled.secret)),
        await whole_refusal(token_of(rig, locked.service_account.name, locked.secret)),
    }

    assert len(answers) == 1


async def test_a_lockout_ends_and_doubles(rig: Rig) -> None:
    created = await rig.account()
    name = created.service_account.name
    for _ in range(5):
        await refusal(token_of(rig, name, "wrong"))
    rig.clock.advance(timedelta(minutes=15))
    for _ in range(5):
        await refusal(token_of(rig, name, "wrong"))
    rig.clock.advance(timedelta(minutes=29))

    assert await refusal(token_of(rig, name, created.secret)) == "SIGN_IN_REFUSED"
    rig.clock.advance(timedelta(minutes=1))
    assert (await token_of(rig, name, created.secret)).access_token
    assert (await rig.types(name)).count("ServiceAccountLockedOut") == 2


async def test_a_hundred_guesses_at_once_are_five_evaluated(rig: Rig) -> None:
    created = await rig.account()
    name = created.service_account.name

    await asyncio.gather(
        *(token_of(rig, name, f"guess {number}") for number in range(100)), return_exceptions=True
    )

    assert (await rig.types(name)).count("ServiceAccountSecretRefused") == 5


async def test_operators_alone_make_and_stop_accounts(rig: Rig) -> None:
    created = await rig.account()
    making = pb2.CreateServiceAccountRequest(
        request_id=request_id(),
        service_account=pb2.ServiceAccount(display_name="x", channels=["SMS"]),
    )
    stopping = pb2.DisableServiceAccountRequest(
        request_id=request_id(),
        service_account=created.service_account.name,
        reason="RETIRED",
    )

    for client in (await rig.agent("supervisor"), await rig.frontend()):
        assert await refusal(client.tokens.CreateServiceAccount(making)) == "DENIED_OR_ABSENT"
        assert await refusal(client.tokens.DisableServiceAccount(stopping)) == "DENIED_OR_ABSENT"
    elsewhere = await rig.operator(OTHER)
    assert await refusal(elsewhere.tokens.DisableServiceAccount(stopping)) == "DENIED_OR_ABSENT"


@pytest.mark.parametrize(
    "account",
    [
        pb2.ServiceAccount(display_name="", channels=["SMS"]),
        pb2.ServiceAccount(display_name="x", channels=[]),
        pb2.ServiceAccount(display_name="x", channels=["FAX"]),
        pb2.ServiceAccount(display_name="x" * 101, channels=["SMS"]),
    ],
)
async def test_malformed_accounts_are_refused(rig: Rig, account: pb2.ServiceAccount) -> None:
    operator = await rig.operator()
    request = pb2.CreateServiceAccountRequest(request_id=request_id(), service_account=account)

    assert await refusal(operator.tokens.CreateServiceAccount(request)) == "FIELD_INVALID"


async def test_disabling_twice_is_already_so(rig: Rig) -> None:
    created = await rig.account()

    first = await disable(rig, created.service_account.name)

    assert first == await disable(rig, created.service_account.name)


async def test_the_published_keys_verify_what_is_signed(rig: Rig) -> None:
    created = await rig.account()
    issued = await token_of(rig, created.service_account.name, created.secret)
    client = await rig.anonymous()

    answer = await client.tokens.GetSigningKeys(pb2.GetSigningKeysRequest())

    keys = {key["kid"]: key for key in json.loads(answer.jwks)["keys"]}
    assert {kid.partition(":")[0] for kid in keys} == {"token-identity", "assertion-identity"}
    assert all("d" not in key for key in keys.values())
    kid = jwt.get_unverified_header(issued.access_token)["kid"]
    claims = jwt.decode(
        issued.access_token, PyJWK(keys[kid]).key, algorithms=["EdDSA"], audience="careline"
    )
    assert claims["sub"] == created.service_account.name


async def test_identity_may_not_use_keys_that_are_not_its_own(rig: Rig) -> None:
    for key in ("token-operator", "token-routing"):
        with pytest.raises(VaultUnavailable):
            await rig.serving.runtime.keys.sign(key, b"who am I")
