"""Erasing a patient: what goes, what stays and why, and that it is final."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from integration.sealing.erasing import ADA, BEN, CYD, kept_keys, link_all, tombstones, with_keys
from integration.sealing.rig import ERASING, Rig
from sealing.keyring import (
    DataKey,
    Erased,
    ErasureNotPermitted,
    ErasureRequestReused,
    Kept,
    Link,
    SubjectErased,
)


async def test_the_patients_key_and_those_of_the_patient_alone_go_and_shared_ones_stay(
    rig: Rig, tenant: str
) -> None:
    process = await rig.process(roles=ERASING)
    await with_keys(process, tenant, ADA, BEN, "conversations/1", "conversations/2")
    await with_keys(process, tenant, "conversations/3")
    await link_all(
        process,
        tenant,
        [("conversations/1", ADA), ("conversations/2", ADA), ("conversations/2", BEN)],
    )

    erasure = await process.keyring.erase(tenant, ADA, "requests/1")

    assert erasure.patient == ADA
    assert erasure.erased == ("conversations/1", ADA)
    assert erasure.kept == (Kept("conversations/2", (BEN,)),)
    assert datetime.now(UTC) - erasure.erased_at < timedelta(minutes=1)
    assert await kept_keys(rig, tenant) == {BEN, "conversations/2", "conversations/3"}
    assert await tombstones(rig, tenant) == {ADA, "conversations/1"}


async def test_what_is_shared_goes_with_its_last_patient(rig: Rig, tenant: str) -> None:
    process = await rig.process(roles=ERASING)
    await with_keys(process, tenant, ADA, BEN, "conversations/1")
    await link_all(process, tenant, [("conversations/1", ADA), ("conversations/1", BEN)])
    await process.keyring.erase(tenant, ADA, "requests/1")

    erasure = await process.keyring.erase(tenant, BEN, "requests/2")

    assert erasure.erased == ("conversations/1", BEN)
    assert erasure.kept == ()
    assert await kept_keys(rig, tenant) == set()


async def test_a_survivor_takes_along_what_was_merged_into_it_over_several_merges(
    rig: Rig, tenant: str
) -> None:
    process = await rig.process(roles=ERASING)
    await with_keys(process, tenant, ADA, BEN, CYD, "conversations/1", "conversations/2")
    await link_all(
        process,
        tenant,
        [("conversations/1", CYD), ("conversations/2", CYD), ("conversations/2", ADA)],
    )
    await process.keyring.merge(tenant, merged=CYD, survivor=BEN)
    await process.keyring.merge(tenant, merged=BEN, survivor=ADA)

    erasure = await process.keyring.erase(tenant, ADA, "requests/1")

    assert set(erasure.erased) == {ADA, BEN, CYD, "conversations/1", "conversations/2"}
    assert await kept_keys(rig, tenant) == set()


async def test_an_unmerged_patient_stays_with_all_that_is_its_own(rig: Rig, tenant: str) -> None:
    process = await rig.process(roles=ERASING)
    await with_keys(process, tenant, ADA, BEN, "conversations/1")
    await process.keyring.link(tenant, "conversations/1", BEN)
    await process.keyring.merge(tenant, merged=BEN, survivor=ADA)
    await process.keyring.unmerge(tenant, merged=BEN, survivor=ADA)

    erasure = await process.keyring.erase(tenant, ADA, "requests/1")

    assert erasure.erased == (ADA,)
    assert await kept_keys(rig, tenant) == {BEN, "conversations/1"}


async def test_a_merged_patient_alone_leaves_the_survivor_and_what_is_shared_with_it(
    rig: Rig, tenant: str
) -> None:
    process = await rig.process(roles=ERASING)
    await with_keys(process, tenant, ADA, BEN, "conversations/1", "conversations/2")
    await link_all(
        process,
        tenant,
        [("conversations/1", BEN), ("conversations/2", BEN), ("conversations/2", ADA)],
    )
    await process.keyring.merge(tenant, merged=BEN, survivor=ADA)

    erasure = await process.keyring.erase(tenant, BEN, "requests/1")

    assert set(erasure.erased) == {BEN, "conversations/1"}
    assert erasure.kept == (Kept("conversations/2", (ADA,)),)


async def test_patients_merged_in_a_circle_go_together(rig: Rig, tenant: str) -> None:
    process = await rig.process(roles=ERASING)
    await with_keys(process, tenant, ADA, BEN, "conversations/1")
    await link_all(process, tenant, [(ADA, BEN), (BEN, ADA), ("conversations/1", BEN)])

    erasure = await process.keyring.erase(tenant, ADA, "requests/1")

    assert set(erasure.erased) == {ADA, BEN, "conversations/1"}


async def test_an_unlinked_subject_stays(rig: Rig, tenant: str) -> None:
    process = await rig.process(roles=ERASING)
    await with_keys(process, tenant, ADA, "conversations/1")
    await process.keyring.link(tenant, "conversations/1", ADA)
    await process.keyring.link(tenant, "conversations/1", ADA)
    (link,) = await process.keyring.links(tenant, "conversations/1")
    assert link == Link("conversations/1", ADA, link.linked_at)

    await process.keyring.unlink(tenant, "conversations/1", ADA)
    await process.keyring.unlink(tenant, "conversations/1", ADA)

    assert await process.keyring.links(tenant, "conversations/1") == ()
    assert (await process.keyring.erase(tenant, ADA, "requests/1")).erased == (ADA,)


async def test_the_same_request_answers_as_the_first_time_whatever_came_since(
    rig: Rig, tenant: str
) -> None:
    process = await rig.process(roles=ERASING)
    await with_keys(process, tenant, ADA, BEN, "conversations/1", "conversations/2")
    await link_all(
        process,
        tenant,
        [("conversations/1", ADA), ("conversations/2", ADA), ("conversations/2", BEN)],
    )
    first = await process.keyring.erase(tenant, ADA, "requests/1")
    await process.keyring.erase(tenant, BEN, "requests/2")

    again = await (await rig.process(roles=ERASING)).keyring.erase(tenant, ADA, "requests/1")

    assert again == first
    with pytest.raises(ErasureRequestReused):
        await process.keyring.erase(tenant, BEN, "requests/1")


async def test_a_later_request_reaches_what_became_the_patients_alone_since(
    rig: Rig, tenant: str
) -> None:
    process = await rig.process(roles=ERASING)
    await with_keys(process, tenant, ADA, BEN, "conversations/1")
    await link_all(process, tenant, [("conversations/1", ADA), ("conversations/1", BEN)])
    await process.keyring.erase(tenant, ADA, "requests/1")
    await process.keyring.unlink(tenant, "conversations/1", BEN)

    erasure = await process.keyring.erase(tenant, ADA, "requests/2")

    assert erasure.erased == ("conversations/1",)
    assert await kept_keys(rig, tenant) == {BEN}


async def test_the_same_request_from_many_at_once_is_done_once(rig: Rig, tenant: str) -> None:
    processes = [await rig.process(roles=ERASING) for _ in range(4)]
    await with_keys(processes[0], tenant, ADA, "conversations/1")
    await processes[0].keyring.link(tenant, "conversations/1", ADA)

    erasures = await asyncio.gather(
        *(process.keyring.erase(tenant, ADA, "requests/1") for process in processes * 3)
    )

    assert all(erasure == erasures[0] for erasure in erasures)
    assert set(erasures[0].erased) == {ADA, "conversations/1"}


async def test_a_patient_without_any_key_is_erased_beforehand(rig: Rig, tenant: str) -> None:
    process = await rig.process(roles=ERASING)

    erasure = await process.keyring.erase(tenant, ADA, "requests/1")

    assert erasure.erased == (ADA,)
    with pytest.raises(SubjectErased):
        await process.keyring.data_key(tenant, ADA)


async def test_other_tenants_keep_the_patient_of_the_same_name(rig: Rig, tenant: str) -> None:
    process = await rig.process(roles=ERASING)
    other = f"{tenant}-other"
    for each in (tenant, other):
        await with_keys(process, each, ADA, "conversations/1")
        await process.keyring.link(each, "conversations/1", ADA)

    await process.keyring.erase(tenant, ADA, "requests/1")

    assert await kept_keys(rig, other) == {ADA, "conversations/1"}
    assert (await process.keyring.erase(other, ADA, "requests/1")).tenant == other


async def test_the_eraser_forgets_at_once_and_others_when_told_or_at_their_age(
    rig: Rig, tenant: str
) -> None:
    eraser, told, aging = [await rig.process(roles=ERASING) for _ in range(3)]
    ids = await with_keys(eraser, tenant, ADA)
    for process in (told, aging):
        await with_keys(process, tenant, ADA)

    await eraser.keyring.erase(tenant, ADA, "requests/1")
    told.keyring.forget(tenant, [ADA])

    for process in (eraser, told):
        gone = (await process.keyring.keys_by_id(tenant, [ids[ADA]]))[ids[ADA]]
        assert isinstance(gone, Erased)
        assert (gone.key_id, gone.subject) == (ids[ADA], ADA)
        with pytest.raises(SubjectErased):
            await process.keyring.data_key(tenant, ADA)
    assert isinstance((await aging.keyring.keys_by_id(tenant, [ids[ADA]]))[ids[ADA]], DataKey)
    aging.clock.now += 300
    with pytest.raises(SubjectErased):
        await aging.keyring.data_key(tenant, ADA)


async def test_a_login_without_the_erasers_role_may_not_erase(rig: Rig, tenant: str) -> None:
    process = await rig.process()
    await with_keys(process, tenant, ADA)

    with pytest.raises(ErasureNotPermitted):
        await process.keyring.erase(tenant, ADA, "requests/1")

    assert await kept_keys(rig, tenant) == {ADA}


async def test_what_arrives_late_about_an_erased_patient_is_refused_and_can_be_erased_itself(
    rig: Rig, tenant: str
) -> None:
    process = await rig.process(roles=ERASING)
    await with_keys(process, tenant, "conversations/late")
    await process.keyring.erase(tenant, ADA, "requests/1")

    with pytest.raises(SubjectErased) as refusal:
        await process.keyring.link(tenant, "conversations/late", ADA)

    assert refusal.value.subject == ADA
    erasure = await process.keyring.erase(tenant, "conversations/late", "requests/2")
    assert erasure.erased == ("conversations/late",)


@pytest.mark.parametrize("request_id", ["", "x" * 129, "a b", "r'1"])
async def test_a_malformed_request_is_refused(rig: Rig, tenant: str, request_id: str) -> None:
    process = await rig.process(roles=ERASING)

    with pytest.raises(ValueError, match="request id"):
        await process.keyring.erase(tenant, ADA, request_id)


async def test_who_was_erased_is_told_without_a_key_being_made(rig: Rig, tenant: str) -> None:
    process, other = await rig.process(roles=ERASING), await rig.process()
    await with_keys(process, tenant, ADA, BEN)
    await with_keys(other, tenant, ADA)
    await process.keyring.erase(tenant, ADA, "requests/1")

    told = [await other.keyring.is_erased(tenant, one) for one in (ADA, BEN, CYD)]

    assert told == [True, False, False]
    assert await kept_keys(rig, tenant) == {BEN}
