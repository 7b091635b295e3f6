"""Tokens and assertions signed in a real OpenBao, and every forgery that was thought of."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from integration.runtime.rig import AGENT
from integration.runtime.vault_rig import VaultRig
from runtime.principal import Principal, PrincipalKind, service_principal
from runtime.purpose_of_use import PurposeOfUse
from runtime.testing.local_keys import LocalKeys
from runtime.tokens.caller_assertion import (
    AssertionInvalid,
    CallerAssertion,
    CallerAssertionSigner,
    CallerAssertionVerifier,
    CallerLevel,
)
from runtime.tokens.jwt import JwtExpired, JwtInvalid, signed_jwt
from runtime.tokens.public_keys import PublicKeys, SigningKeysUnavailable
from runtime.tokens.service_token import ServiceToken
from runtime.tokens.token import TOKEN_KEYS, TokenIssuer, TokenVerifier
from runtime.vault.errors import VaultUnavailable
from runtime.vault.transit import TransitSigner

CONVERSATION = "conversations/01970000-0000-7000-8000-000000000010"
PATIENT = "patients/01970000-0000-7000-8000-000000000020"
ASSERTED = CallerAssertion("demo", CONVERSATION, PATIENT, CallerLevel.VERIFIED, PurposeOfUse.TREAT)


@pytest.fixture
async def signer(vault: VaultRig) -> AsyncIterator[TransitSigner]:
    for name in ("token-identity", "token-routing", "token-operator", "assertion-identity"):
        vault.root.secrets.transit.create_key(name, key_type="ed25519")
    async with vault.session() as session:
        yield TransitSigner(session)


@pytest.fixture
def verifier(signer: TransitSigner) -> TokenVerifier:
    return TokenVerifier(PublicKeys(signer, TOKEN_KEYS))


async def test_a_token_says_who_its_holder_is(
    signer: TransitSigner, verifier: TokenVerifier
) -> None:
    text = await TokenIssuer(signer, "token-identity").issue(AGENT, 300)

    assert await verifier.verify(text) == AGENT
    assert await verifier.verify(text) == AGENT


async def test_services_speak_for_all_tenants_and_operators_for_theirs(
    signer: TransitSigner, verifier: TokenVerifier
) -> None:
    operator = Principal(
        PrincipalKind.OPERATOR, "operators/local", frozenset({"demo", "other"}), frozenset({"sre"})
    )
    service = await ServiceToken(signer, "routing").token()
    token = await TokenIssuer(signer, "token-operator").issue(operator, 60)

    assert await verifier.verify(service) == service_principal("routing")
    assert await verifier.verify(token) == operator


async def test_a_services_token_is_renewed_before_it_ends(signer: TransitSigner) -> None:
    source = ServiceToken(signer, "routing", lifetime=1)

    first = await source.token()
    again = await source.token()
    await asyncio.sleep(0.8)
    renewed = await source.token()

    assert first == again
    assert renewed != first


@pytest.mark.parametrize(
    ("key", "principal"),
    [
        ("token-routing", AGENT),
        ("token-operator", AGENT),
        ("token-identity", service_principal("routing")),
        ("token-routing", service_principal("audit")),
        ("token-identity", replace(AGENT, name="serviceAccounts/x")),
        ("token-identity", Principal(PrincipalKind.OPERATOR, "operators/x", frozenset({"demo"}))),
    ],
)
async def test_a_key_speaks_for_its_own_subjects_only(
    signer: TransitSigner, verifier: TokenVerifier, key: str, principal: Principal
) -> None:
    with pytest.raises(ValueError, match="can not speak"):
        await TokenIssuer(signer, key).issue(principal, 60)

    forged = await signed_jwt(signer, key, "careline-token+jwt", _claims(key, principal))
    with pytest.raises(JwtInvalid):
        await verifier.verify(forged)


async def test_a_rotated_key_signs_anew_and_old_tokens_hold(
    vault: VaultRig, signer: TransitSigner
) -> None:
    verifier = TokenVerifier(PublicKeys(signer, TOKEN_KEYS, fetch_interval=0))
    issuer = TokenIssuer(signer, "token-identity")
    old = await issuer.issue(AGENT, 300)
    await verifier.verify(old)

    vault.root.secrets.transit.rotate_key("token-identity")
    new = await issuer.issue(replace(AGENT, session="s2"), 300)

    assert _header(new)["kid"] != _header(old)["kid"]
    assert (await verifier.verify(new)).session == "s2"
    assert await verifier.verify(old) == AGENT


async def test_versions_below_the_keys_minimum_no_longer_hold(
    vault: VaultRig, signer: TransitSigner
) -> None:
    text = await TokenIssuer(signer, "token-identity").issue(AGENT, 300)
    vault.root.secrets.transit.rotate_key("token-identity")
    newest = max(await signer.public_keys("token-identity"))
    vault.root.secrets.transit.update_key_configuration(
        "token-identity", min_decryption_version=newest
    )

    with pytest.raises(JwtInvalid, match="unknown key"):
        await TokenVerifier(PublicKeys(signer, TOKEN_KEYS)).verify(text)


def _claims(key: str, principal: Principal, **changes: object) -> dict[str, object]:
    now = int(time.time())
    claims: dict[str, object] = {
        "iss": key.removeprefix("token-"),
        "sub": principal.name,
        "aud": "careline",
        "tenant": min(principal.tenants),
        "kind": principal.kind.value,
        "roles": [],
        "channels": [],
        "sid": "",
        "iat": now,
        "nbf": now,
        "exp": now + 60,
        "jti": "01970000-0000-7000-8000-000000000030",
    }
    claims.update(changes)
    return {name: value for name, value in claims.items() if value is not None}


NOW = int(time.time())


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "careline-caller-assertion"},
        {"aud": ["careline"]},
        {"aud": None},
        {"iss": "routing"},
        {"iss": None},
        {"exp": None},
        {"nbf": None},
        {"iat": None},
        {"jti": None},
        {"tenant": None},
        {"kind": None},
        {"sub": None},
        {"roles": None},
        {"tenant": "*"},
        {"tenant": "Demo"},
        {"tenant": ["demo", "other"]},
        {"tenant": ""},
        {"kind": "service"},
        {"kind": "root"},
        {"sub": "services/identity/../routing"},
        {"sub": "agents/"},
        {"roles": "agent"},
        {"roles": [1]},
        {"sid": 7},
        {"nbf": NOW + 3000, "exp": NOW + 3060},
        {"iat": NOW + 3000, "exp": NOW + 3060},
        {"exp": NOW + 86_400},
        {"exp": float(NOW + 60)},
        {"iat": NOW, "exp": NOW - 1},
    ],
)
async def test_claims_that_are_missing_or_wrong_are_refused(
    changes: dict[str, object],
) -> None:
    keys = LocalKeys()
    verifier = TokenVerifier(PublicKeys(keys, TOKEN_KEYS))
    claims = _claims("token-identity", AGENT, **changes)

    with pytest.raises(JwtInvalid):
        await verifier.verify(
            await signed_jwt(keys, "token-identity", "careline-token+jwt", claims)
        )


async def test_an_expired_token_is_told_apart_and_five_seconds_are_forgiven() -> None:
    keys = LocalKeys()
    verifier = TokenVerifier(PublicKeys(keys, TOKEN_KEYS))
    now = int(time.time())

    async def token(exp: int) -> str:
        claims = _claims("token-identity", AGENT, iat=now - 100, nbf=now - 100, exp=exp)
        return await signed_jwt(keys, "token-identity", "careline-token+jwt", claims)

    with pytest.raises(JwtExpired):
        await verifier.verify(await token(now - 10))
    await verifier.verify(await token(now - 2))


async def test_a_remembered_token_still_expires() -> None:
    keys = LocalKeys()
    verifier = TokenVerifier(PublicKeys(keys, TOKEN_KEYS))
    now = int(time.time())
    claims = _claims("token-identity", AGENT, iat=now - 100, nbf=now - 100, exp=now - 4)
    text = await signed_jwt(keys, "token-identity", "careline-token+jwt", claims)
    await verifier.verify(text)

    await asyncio.sleep(max(0.0, now - 4 + 5.1 - time.time()))

    with pytest.raises(JwtExpired):
        await verifier.verify(text)


async def test_every_changed_byte_of_a_token_is_noticed() -> None:
    keys = LocalKeys()
    verifier = TokenVerifier(PublicKeys(keys, TOKEN_KEYS))
    text = await TokenIssuer(keys, "token-identity").issue(AGENT, 60)
    last_of_signature = len(text) - 1

    for index, character in enumerate(text):
        if index == last_of_signature:
            # Its low bits are padding that no decoder reads.
            continue
        changed = text[:index] + ("A" if character != "A" else "B") + text[index + 1 :]
        with pytest.raises(JwtInvalid):
            await verifier.verify(changed)


@dataclass(frozen=True)
class Forgery:
    """A token as an attacker makes it: header and claims encoded, and a signature of his."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]

    def signed_by(self, sign: Callable[[bytes], bytes]) -> str:
        body = f"{_part(self.header)}.{_part(self.claims)}"
        return f"{body}.{base64.urlsafe_b64encode(sign(body.encode())).rstrip(b'=').decode()}"


def _part(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _header(token: str) -> dict[str, Any]:
    part = token.partition(".")[0]
    header: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return header


GOOD_HEADER = {"alg": "EdDSA", "kid": "token-identity:v1", "typ": "careline-token+jwt"}


@pytest.mark.parametrize(
    "header",
    [
        {**GOOD_HEADER, "alg": "none"},
        {**GOOD_HEADER, "alg": "HS256"},
        {**GOOD_HEADER, "alg": "ES256"},
        {**GOOD_HEADER, "typ": "JWT"},
        {**GOOD_HEADER, "typ": "careline-caller-assertion+jwt"},
        {**GOOD_HEADER, "kid": "token-identity:v2"},
        {**GOOD_HEADER, "kid": "token-identity:v0"},
        {**GOOD_HEADER, "kid": "token-identity"},
        {**GOOD_HEADER, "kid": "tenant-demo:v1"},
        {**GOOD_HEADER, "kid": "../../sys/token:v1"},
        {**GOOD_HEADER, "kid": 7},
        {**GOOD_HEADER, "jku": "https://attacker.example/keys"},
        {**GOOD_HEADER, "jwk": {"kty": "OKP"}},
        {**GOOD_HEADER, "crit": ["b64"], "b64": False},
        {"alg": "EdDSA", "typ": "careline-token+jwt"},
        GOOD_HEADER,
    ],
)
async def test_a_forged_token_is_refused_whatever_its_header_says(
    header: dict[str, Any],
) -> None:
    keys = LocalKeys()
    verifier = TokenVerifier(PublicKeys(keys, TOKEN_KEYS))
    public = Ed25519PrivateKey.generate()
    own = (await keys.public_keys("token-identity"))[1]
    forgery = Forgery(header, _claims("token-identity", AGENT))
    attempts = [
        forgery.signed_by(public.sign),
        forgery.signed_by(lambda body: hmac.new(own, body, hashlib.sha256).digest()),
        forgery.signed_by(lambda _: b""),
        forgery.signed_by(lambda _: public.public_key().public_bytes_raw()),
    ]

    for attempt in attempts:
        with pytest.raises(JwtInvalid):
            await verifier.verify(attempt)


@pytest.mark.parametrize("text", ["", ".", "..", "a.b.c", "x" * 5000, "é.é.é", "\x00" * 20])
async def test_text_that_is_no_token_is_refused(text: str) -> None:
    with pytest.raises(JwtInvalid):
        await TokenVerifier(PublicKeys(LocalKeys(), TOKEN_KEYS)).verify(text)


class CountingKeys(LocalKeys):
    """Counts what it is asked for, and can be away."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.away = False

    async def public_keys(self, key: str) -> Mapping[int, bytes]:
        self.asked.append(key)
        if self.away:
            raise VaultUnavailable("away")
        return await super().public_keys(key)


async def test_made_up_key_ids_cost_one_fetch_a_second_and_unlisted_names_none() -> None:
    source = CountingKeys()
    verifier = TokenVerifier(PublicKeys(source, TOKEN_KEYS))
    for number in range(2, 60):
        for kid in (f"token-identity:v{number}", f"token-attacker:v{number}"):
            forged = Forgery({**GOOD_HEADER, "kid": kid}, {}).signed_by(lambda _: b"x" * 64)
            with pytest.raises(JwtInvalid):
                await verifier.verify(forged)

    assert source.asked == ["token-identity"]


async def test_keys_at_hand_serve_while_vault_is_away_but_not_for_ever() -> None:
    source = CountingKeys()
    keys = PublicKeys(source, TOKEN_KEYS, fresh_seconds=0, usable_seconds=0.3, fetch_interval=0)
    issuer = TokenIssuer(source, "token-identity")
    first, second = await issuer.issue(AGENT, 60), await issuer.issue(AGENT, 60)
    await TokenVerifier(keys).verify(first)
    source.away = True

    assert await TokenVerifier(keys).verify(first) == AGENT
    await asyncio.sleep(0.35)
    with pytest.raises(SigningKeysUnavailable):
        await TokenVerifier(keys).verify(second)


async def test_an_assertion_holds_for_its_conversation_and_patient(
    signer: TransitSigner,
) -> None:
    text = await CallerAssertionSigner(signer).sign(ASSERTED)
    verifier = CallerAssertionVerifier(PublicKeys(signer, {"assertion-identity"}))

    found = await verifier.verify(text, tenant="demo", conversation=CONVERSATION, patient=PATIENT)

    assert found == ASSERTED
    assert found.level >= CallerLevel.MATCHED


@pytest.mark.parametrize(
    ("tenant", "conversation", "patient"),
    [
        ("other", CONVERSATION, PATIENT),
        ("demo", CONVERSATION[:-1] + "1", PATIENT),
        ("demo", CONVERSATION, PATIENT[:-1] + "1"),
        ("demo", "", ""),
    ],
)
async def test_an_assertion_holds_for_nothing_else(
    tenant: str, conversation: str, patient: str
) -> None:
    keys = LocalKeys()
    text = await CallerAssertionSigner(keys).sign(ASSERTED)
    verifier = CallerAssertionVerifier(PublicKeys(keys, {"assertion-identity"}))

    with pytest.raises(AssertionInvalid):
        await verifier.verify(text, tenant=tenant, conversation=conversation, patient=patient)


async def test_tokens_and_assertions_do_not_pass_for_each_other() -> None:
    keys = LocalKeys()
    token = await TokenIssuer(keys, "token-identity").issue(AGENT, 60)
    assertion = await CallerAssertionSigner(keys).sign(ASSERTED)
    everything = PublicKeys(keys, {*TOKEN_KEYS, "assertion-identity"})

    with pytest.raises(JwtInvalid):
        await TokenVerifier(everything).verify(assertion)
    with pytest.raises(AssertionInvalid):
        await CallerAssertionVerifier(everything).verify(
            token, tenant="demo", conversation=CONVERSATION, patient=PATIENT
        )


@pytest.mark.parametrize("lifetime", [0, -1, 901])
async def test_an_assertion_lives_for_at_most_fifteen_minutes(lifetime: float) -> None:
    with pytest.raises(ValueError, match="at most 900"):
        await CallerAssertionSigner(LocalKeys()).sign(ASSERTED, lifetime)


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": NOW + 1000},
        {"exp": NOW - 10, "iat": NOW - 100, "nbf": NOW - 100},
        {"level": "root"},
        {"level": 3},
        {"purpose": "FUN"},
        {"patient": None},
        {"iss": "routing"},
        {"tenant": "*"},
    ],
)
async def test_a_wrong_assertion_is_refused(changes: dict[str, object]) -> None:
    keys = LocalKeys()
    claims: dict[str, object] = {
        "iss": "identity",
        "aud": "careline-caller-assertion",
        "tenant": "demo",
        "conversation": CONVERSATION,
        "patient": PATIENT,
        "level": "verified",
        "purpose": "TREAT",
        "iat": NOW,
        "nbf": NOW,
        "exp": NOW + 300,
        "jti": "1",
        **changes,
    }
    claims = {name: value for name, value in claims.items() if value is not None}
    text = await signed_jwt(keys, "assertion-identity", "careline-caller-assertion+jwt", claims)
    verifier = CallerAssertionVerifier(PublicKeys(keys, {"assertion-identity"}))

    with pytest.raises(AssertionInvalid):
        await verifier.verify(text, tenant="demo", conversation=CONVERSATION, patient=PATIENT)
