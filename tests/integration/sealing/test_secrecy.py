"""Key bytes stand nowhere but in the keyring's own memory."""

import base64
import gc
import logging
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from integration.sealing.rig import ERASING, Process, Rig
from sealing.framing import framed
from sealing.keyring import KeyBroken, SubjectErased, UnknownKey
from sealing.sealer import Sealer
from sqlalchemy import text
from unit.sealing.compiled import example

SUBJECT = "conversations/1"


async def clear_keys(process: Process, rig: Rig, tenant: str) -> tuple[bytes, bytes]:
    """Unwrap the rows by hand: the tenant's key and the subject's."""
    ((wrapped,),) = await rig.rows(
        "SELECT wrapped FROM keyring.tenant_key WHERE tenant = :t", t=tenant
    )
    tenant_key = await process.transit.unwrap(tenant, wrapped)
    ((key_id, row),) = await rig.rows(
        "SELECT key_id, wrapped FROM keyring.data_key WHERE tenant = :t AND subject = :s",
        t=tenant,
        s=SUBJECT,
    )
    context = framed("careline.keyring.data-key", tenant, SUBJECT, key_id.bytes)
    return tenant_key, AESGCM(tenant_key).decrypt(row[:12], row[12:], context)


def written(key: bytes) -> set[str]:
    """Ways to write a key."""
    escaped = repr(key)[2:-1]
    return {key.hex(), base64.b64encode(key).decode().rstrip("="), escaped[:24], escaped[-24:]}


async def test_a_row_holds_its_key_wrapped_under_the_tenants_key(rig: Rig, tenant: str) -> None:
    process = await rig.process()
    key = await process.keyring.data_key(tenant, SUBJECT)
    nonce, ciphertext = key.encrypt(b"note", b"")

    _, data_key = await clear_keys(process, rig, tenant)

    assert AESGCM(data_key).decrypt(nonce, ciphertext, b"") == b"note"


async def test_neither_logs_nor_errors_nor_reprs_hold_a_key_or_what_it_seals(
    rig: Rig, tenant: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="sqlalchemy.engine")
    process = await rig.process(roles=ERASING)
    key = await process.keyring.data_key(tenant, SUBJECT)
    index_key = await process.keyring.index_key(tenant, "blind-index")
    tenant_key, data_key = await clear_keys(process, rig, tenant)
    note = example("VisitNoted")(text="My chest hurts")
    await Sealer(process.keyring).seal(
        note, tenant=tenant, subject=SUBJECT, log="l", stream=SUBJECT, event_id=uuid4()
    )
    texts = [repr(key), repr(vars(process.keyring)), repr(process.keyring._cache.__dict__)]
    with pytest.raises(UnknownKey) as unknown:
        await process.keyring.keys_by_id(tenant, [uuid4()])
    async with rig.engine.begin() as connection:
        await connection.execute(
            text("UPDATE keyring.data_key SET wrapped = :w WHERE tenant = :t"),
            {"t": tenant, "w": bytes(60)},
        )
    process.keyring.forget(tenant, [SUBJECT])
    with pytest.raises(KeyBroken) as broken:
        await process.keyring.data_key(tenant, SUBJECT)
    await process.keyring.erase(tenant, SUBJECT, "requests/1")
    with pytest.raises(SubjectErased) as erased:
        await process.keyring.data_key(tenant, SUBJECT)
    texts += [repr(each.value) for each in (unknown, broken, erased)]
    texts += [str(each.value) for each in (unknown, broken, erased)]

    assert "keyring.data_key" in caplog.text
    for key_bytes in (tenant_key, data_key, index_key):
        for form in written(key_bytes):
            assert form not in caplog.text
            assert not any(form in one for one in texts)
    assert "chest" not in caplog.text


async def test_closing_lets_go_of_every_key(rig: Rig, tenant: str) -> None:
    process = await rig.process()
    await process.keyring.data_key(tenant, SUBJECT)
    held = (await process.keyring._tenant_keys.latest(tenant))._secret
    assert any(held)

    await process.keyring.close()
    gc.collect()

    assert not any(held)
    assert len(process.keyring._cache) == 0
