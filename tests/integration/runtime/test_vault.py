"""Sessions with a real OpenBao: sign-in, renewal, refusals, and what never shows."""

import asyncio
import stat

import pytest
from integration.runtime.rig import eventually
from integration.runtime.vault_rig import VaultRig
from runtime.addresses import ServerUrl
from runtime.background import beside
from runtime.secret_reference import VaultPath
from runtime.vault.connection import VaultConnection
from runtime.vault.errors import (
    SignInRefused,
    VaultAbsent,
    VaultDenied,
    VaultRefusedInput,
    VaultUnavailable,
)
from runtime.vault.key_values import read_secret
from runtime.vault.session import VaultSession
from runtime.vault.transit import KeyringTransit, TransitSigner
from sealing.keyring.transit import TransitUnavailable


async def test_a_workload_signs_in_and_reads_its_secret(vault: VaultRig) -> None:
    vault.root.secrets.kv.v2.create_or_update_secret("careline/allowed", secret={"creds": "s3"})

    async with vault.session() as session:
        found = await read_secret(session, VaultPath("secret", "careline/allowed", "creds"))
        await session.probe()

    assert found == "s3"


async def test_a_field_or_secret_that_is_not_there_is_named(vault: VaultRig) -> None:
    vault.root.secrets.kv.v2.create_or_update_secret("careline/allowed", secret={"creds": "s3"})
    async with vault.session() as session:
        with pytest.raises(VaultAbsent, match="field other"):
            await read_secret(session, VaultPath("secret", "careline/allowed", "other"))


async def test_what_the_policy_does_not_allow_is_denied_without_a_new_sign_in(
    vault: VaultRig,
) -> None:
    async with vault.session() as session:
        generation = session.generation
        with pytest.raises(VaultDenied):
            await read_secret(session, VaultPath("secret", "careline/other", "creds"))

        assert session.generation == generation


async def test_a_wrapped_secret_id_is_unwrapped_once_and_reused_for_later_sign_ins(
    vault: VaultRig,
) -> None:
    workload = vault.workload(secret_id_uses=2)
    workload.put_wrapped_secret_id()

    async with vault.session(workload) as session:
        vault.root.auth.token.revoke_accessor(await _accessor(session))
        await TransitSigner(session).public_keys(vault.signing_key())

        assert session.generation == 2


async def test_a_wrapping_token_that_somebody_else_used_is_told_as_theft(
    vault: VaultRig, caplog: pytest.LogCaptureFixture
) -> None:
    workload = vault.workload()
    token = workload.put_wrapped_secret_id()
    vault.root.sys.unwrap(token)

    with pytest.raises(SignInRefused) as raised:
        async with vault.session(workload):
            pass

    assert str(workload.secret_id_file) in str(raised.value)
    assert token not in str(raised.value) + caplog.text
    assert "theft" in caplog.text


async def test_a_wrong_secret_id_is_refused_without_showing_it(vault: VaultRig) -> None:
    workload = vault.workload()
    wrong = "11111111-2222-3333-4444-555555555555"
    workload.secret_id_file.write_text(wrong)

    with pytest.raises(SignInRefused, match="put a new secret id into") as raised:
        async with vault.session(workload):
            pass

    assert wrong not in str(raised.value)


async def test_a_secret_id_file_open_to_others_is_refused(vault: VaultRig) -> None:
    workload = vault.workload()
    workload.secret_id_file.chmod(stat.S_IRUSR | stat.S_IWUSR | stat.S_IROTH)

    with pytest.raises(SignInRefused, match="chmod 600"):
        async with vault.session(workload):
            pass


async def test_the_token_is_renewed_and_then_replaced_at_its_longest_life(
    vault: VaultRig,
) -> None:
    workload = vault.workload(ttl="2s", max_ttl="5s")
    key = vault.signing_key()
    async with vault.session(workload) as session:
        first = await _accessor(session)
        async with asyncio.timeout(20):
            await session.wait_for_sign_in_after(session.generation)
        await TransitSigner(session).sign(key, b"x")
        await session.probe()

        assert await _accessor(session) != first
        assert session.generation == 2


async def test_a_revoked_token_is_replaced_within_the_call_that_meets_it(vault: VaultRig) -> None:
    key = vault.signing_key()
    async with vault.session() as session:
        vault.root.auth.token.revoke_accessor(await _accessor(session))

        version, signature = await TransitSigner(session).sign(key, b"data")

    assert (version, len(signature)) == (1, 64)


async def test_many_calls_that_meet_a_revoked_token_sign_in_once(vault: VaultRig) -> None:
    key = vault.signing_key()
    async with vault.session() as session:
        signer = TransitSigner(session)
        vault.root.auth.token.revoke_accessor(await _accessor(session))

        await asyncio.gather(*(signer.sign(key, b"data") for _ in range(20)))

        assert session.generation == 2


async def test_a_used_up_secret_id_keeps_failing_until_a_new_one_lies_in_the_file(
    vault: VaultRig,
) -> None:
    workload = vault.workload(secret_id_uses=1)
    key = vault.signing_key()
    async with vault.session(workload) as session:
        signer = TransitSigner(session)
        vault.root.auth.token.revoke_accessor(await _accessor(session))
        with pytest.raises(SignInRefused):
            await signer.sign(key, b"data")

        workload.put_secret_id()

        assert len((await signer.sign(key, b"data"))[1]) == 64


async def test_leaving_revokes_the_token(vault: VaultRig) -> None:
    async with vault.session() as session:
        accessor = await _accessor(session)
        vault.root.auth.token.lookup_accessor(accessor)

    accessors = vault.root.auth.token.list_accessors()["data"]["keys"]
    assert accessor not in accessors


async def test_a_vault_that_is_away_is_told_with_what_to_do_and_no_token(vault: VaultRig) -> None:
    workload = vault.workload()
    nobody = ServerUrl.parse("http://127.0.0.1:9")
    async with VaultConnection(nobody, timeout=1) as connection:
        with pytest.raises(VaultUnavailable, match="check that it runs") as raised:
            async with VaultSession(connection, workload.sign_in()):
                pass

    assert workload.secret_id_file.read_text() not in str(raised.value)
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__


async def test_failed_renewals_end_the_probes_trust_but_not_the_process(vault: VaultRig) -> None:
    workload = vault.workload(ttl="1s", max_ttl="1s", secret_id_uses=1)
    async with (
        vault.connection() as connection,
        VaultSession(connection, workload.sign_in()) as session,
        beside(session.stay_signed_in),
    ):
        await eventually(lambda: _is_away(session))

        workload.put_secret_id()
        async with asyncio.timeout(30):
            await session.wait_for_sign_in_after(1)
            await session.probe()


async def test_keys_of_tenants_are_wrapped_for_the_keyring(vault: VaultRig) -> None:
    vault.root.secrets.transit.create_key("tenant-demo", key_type="aes256-gcm96")
    vault.root.secrets.transit.create_key("tenant-other", key_type="aes256-gcm96")
    async with vault.session() as session:
        transit = KeyringTransit(session)
        wrapped = await transit.wrap("demo", b"\x00" * 32)

        assert wrapped.startswith("vault:v1:")
        assert await transit.unwrap("demo", wrapped) == b"\x00" * 32
        with pytest.raises(VaultRefusedInput):
            await transit.unwrap("other", wrapped)


async def test_the_keyring_is_told_that_vault_is_away(vault: VaultRig) -> None:
    workload = vault.workload(secret_id_uses=1)
    async with vault.session(workload) as session:
        vault.root.auth.token.revoke_accessor(await _accessor(session))
        with pytest.raises(TransitUnavailable):
            await KeyringTransit(session).wrap("demo", b"\x00" * 32)


async def test_too_many_requests_under_way_are_refused(vault: VaultRig) -> None:
    async with vault.session() as session:
        calls = [session.probe() for _ in range(300)]
        outcomes = await asyncio.gather(*calls, return_exceptions=True)

    refused = [outcome for outcome in outcomes if isinstance(outcome, VaultUnavailable)]
    assert len(refused) == 44
    assert len([outcome for outcome in outcomes if outcome is None]) == 256


async def _accessor(session: VaultSession) -> str:
    answer = await session.call(lambda client: client.auth.token.lookup_self())
    return str(answer["data"]["accessor"])


async def _is_away(session: VaultSession) -> bool:
    try:
        await session.probe()
    except VaultUnavailable:
        return True
    return False
