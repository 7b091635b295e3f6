"""Erasures among makers of keys and links, and cut off on the way."""

import asyncio
from uuid import uuid4

import pytest
from integration.sealing.erasing import ADA, BEN, kept_keys, tombstones, with_keys
from integration.sealing.rig import ERASING, Rig
from sealing.keyring import DataKey, Erasure, KeyringUnavailable, SubjectErased
from sealing.keyring.statements import statement


async def test_a_key_made_while_the_erasure_runs_never_survives_it(rig: Rig, tenant: str) -> None:
    eraser, *makers = [await rig.process(roles=ERASING) for _ in range(4)]
    for number in range(25):
        patient, subject = f"patients/{number}", f"conversations/{number}"
        await eraser.keyring.link(tenant, subject, patient)

        made = [maker.keyring.data_key(tenant, subject) for maker in makers]
        erasure, *outcomes = await asyncio.gather(
            eraser.keyring.erase(tenant, patient, f"requests/{number}"),
            *made,
            return_exceptions=True,
        )

        assert isinstance(erasure, Erasure)
        assert {type(outcome) for outcome in outcomes} <= {DataKey, SubjectErased}
        for maker in makers:
            maker.keyring.forget(tenant, [subject])
            with pytest.raises(SubjectErased):
                await maker.keyring.data_key(tenant, subject)
    assert await kept_keys(rig, tenant) == set()


async def test_a_link_made_while_the_erasure_runs_is_reached_or_refused(
    rig: Rig, tenant: str
) -> None:
    eraser, *linkers = [await rig.process(roles=ERASING) for _ in range(4)]
    for number in range(25):
        patient = f"patients/{number}"
        subjects = [f"conversations/{number}-{index}" for index in range(len(linkers))]
        for subject in subjects:
            await eraser.keyring.data_key(tenant, subject)

        erasure, *outcomes = await asyncio.gather(
            eraser.keyring.erase(tenant, patient, f"requests/{number}"),
            *(
                linker.keyring.link(tenant, subject, patient)
                for linker, subject in zip(linkers, subjects, strict=True)
            ),
            return_exceptions=True,
        )

        assert isinstance(erasure, Erasure)
        for subject, outcome in zip(subjects, outcomes, strict=True):
            refused = isinstance(outcome, SubjectErased)
            assert refused or outcome is None
            assert (subject in erasure.erased) != refused


async def test_an_erasure_waits_for_a_key_that_is_being_made_and_takes_it_along(
    rig: Rig, tenant: str
) -> None:
    process = await rig.process(roles=ERASING)
    await process.keyring.data_key(tenant, BEN)
    async with process.engine.connect() as maker:
        await maker.execute(statement("enter_shared"), {"tenant": tenant})
        await maker.execute(
            statement("insert_key"),
            {
                "tenant": tenant,
                "key_id": uuid4(),
                "subject": ADA,
                "wrapped": bytes(60),
                "tenant_key_version": 1,
            },
        )
        erasing = asyncio.create_task(process.keyring.erase(tenant, ADA, "requests/1"))
        await until_somebody_waits(rig)
        assert not erasing.done()
        await maker.commit()

    assert (await erasing).erased == (ADA,)
    assert await kept_keys(rig, tenant) == {BEN}


async def test_a_key_waits_for_an_erasure_under_way_and_is_then_refused(
    rig: Rig, tenant: str
) -> None:
    process = await rig.process(roles=ERASING)
    await process.keyring.data_key(tenant, BEN)
    request = {"tenant": tenant, "request_id": "requests/1"}
    async with process.engine.connect() as eraser:
        await eraser.execute(statement("enter_alone"), {"tenant": tenant})
        await eraser.execute(statement("insert_erasure"), {**request, "patient": ADA})
        await eraser.execute(statement("insert_tombstones"), {**request, "subjects": [ADA]})
        making = asyncio.create_task(process.keyring.data_key(tenant, ADA))
        await until_somebody_waits(rig)
        assert not making.done()
        await eraser.commit()

    with pytest.raises(SubjectErased):
        await making


async def test_who_asks_after_a_forgetting_gets_no_key_that_was_being_loaded_before(
    rig: Rig, tenant: str
) -> None:
    process = await rig.process()
    await process.keyring.data_key(tenant, BEN)
    async with process.engine.connect() as eraser:
        await eraser.execute(statement("enter_alone"), {"tenant": tenant})
        before = asyncio.create_task(process.keyring.data_key(tenant, ADA))
        await until_somebody_waits(rig)
        process.keyring.forget(tenant, [ADA])
        after = asyncio.create_task(process.keyring.data_key(tenant, ADA))
        await asyncio.sleep(0)
        await eraser.rollback()

    assert await before is not await after
    assert await process.keyring.data_key(tenant, ADA) is await after


async def test_an_erasure_that_is_cut_off_has_erased_nothing(rig: Rig, tenant: str) -> None:
    process = await rig.process(roles=ERASING)
    await with_keys(process, tenant, ADA, "conversations/1")
    await process.keyring.link(tenant, "conversations/1", ADA)
    async with process.engine.connect() as maker:
        await maker.execute(statement("enter_shared"), {"tenant": tenant})
        erasing = asyncio.create_task(process.keyring.erase(tenant, ADA, "requests/1"))
        await until_somebody_waits(rig)
        await rig.rows(
            "SELECT pg_terminate_backend(pid) FROM pg_locks"
            " WHERE locktype = 'advisory' AND NOT granted"
        )
        with pytest.raises(KeyringUnavailable):
            await erasing

    assert await kept_keys(rig, tenant) == {ADA, "conversations/1"}
    assert await tombstones(rig, tenant) == set()
    again = await process.keyring.erase(tenant, ADA, "requests/1")
    assert again.erased == ("conversations/1", ADA)


async def until_somebody_waits(rig: Rig) -> None:
    """Poll the server, for it has no event to await."""
    query = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    async with asyncio.timeout(10):
        while not await rig.rows(query):  # noqa: ASYNC110 - another server's state has no event
            await asyncio.sleep(0.01)
