"""Making and finding keys, by several processes at once."""

import asyncio
from uuid import uuid4

import pytest
from integration.sealing.rig import Process, Rig
from sealing.keyring import DataKey, KeyBroken, Limits, UnknownKey
from sqlalchemy import event, text

SUBJECT = "conversations/1"


def opens(key: DataKey, other: DataKey) -> bool:
    nonce, ciphertext = key.encrypt(b"note", b"")
    return other.decrypt(nonce, ciphertext, b"") == b"note"


def count_statements(process: Process) -> list[str]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(process.engine.sync_engine, "before_cursor_execute", note)
    return statements


async def test_a_key_is_committed_when_it_is_returned_and_every_process_finds_it(
    rig: Rig, tenant: str
) -> None:
    one, other = await rig.process(), await rig.process()

    key = await one.keyring.data_key(tenant, SUBJECT)

    rows = await rig.rows("SELECT * FROM keyring.data_key WHERE tenant = :t", t=tenant)
    assert [(row.key_id, row.subject) for row in rows] == [(key.id, SUBJECT)]
    found = await other.keyring.data_key(tenant, SUBJECT)
    assert found.id == key.id
    assert opens(key, found)
    assert other.transit.wraps == 0


async def test_fifty_tasks_and_five_processes_at_once_make_one_key(rig: Rig, tenant: str) -> None:
    processes = [await rig.process() for _ in range(5)]

    keys = await asyncio.gather(
        *(process.keyring.data_key(tenant, SUBJECT) for process in processes for _ in range(50))
    )

    assert len({key.id for key in keys}) == 1
    assert all(opens(keys[0], key) for key in keys)
    assert len(await rig.rows("SELECT 1 FROM keyring.data_key WHERE tenant = :t", t=tenant)) == 1
    assert len(await rig.rows("SELECT 1 FROM keyring.tenant_key WHERE tenant = :t", t=tenant)) == 1


async def test_many_subjects_at_once_get_a_key_each_at_one_call_of_vault(
    rig: Rig, tenant: str
) -> None:
    process = await rig.process()

    keys = await asyncio.gather(
        *(process.keyring.data_key(tenant, f"conversations/{number}") for number in range(200))
    )

    assert len({key.id for key in keys}) == 200
    assert (process.transit.wraps, process.transit.unwraps) == (1, 1)


async def test_a_page_costs_one_query_and_one_call_of_vault(rig: Rig, tenant: str) -> None:
    writer, reader = await rig.process(), await rig.process()
    keys = await asyncio.gather(
        *(writer.keyring.data_key(tenant, f"conversations/{number}") for number in range(300))
    )
    ids = [key.id for key in keys]
    statements = count_statements(reader)

    found = await reader.keyring.keys_by_id(tenant, ids)

    assert set(found) == set(ids)
    assert len([one for one in statements if "data_key" in one]) == 1
    assert (reader.transit.wraps, reader.transit.unwraps) == (0, 1)
    statements.clear()
    assert await reader.keyring.keys_by_id(tenant, ids) == found
    assert statements == []


async def test_tenants_have_keys_of_their_own(rig: Rig, tenant: str) -> None:
    process = await rig.process()
    other = f"{tenant}-other"

    mine = await process.keyring.data_key(tenant, SUBJECT)
    theirs = await process.keyring.data_key(other, SUBJECT)

    assert mine.id != theirs.id
    with pytest.raises(UnknownKey):
        await process.keyring.keys_by_id(other, [mine.id])
    with pytest.raises(UnknownKey):
        await (await rig.process()).keyring.keys_by_id(other, [mine.id])


async def test_a_key_that_never_was_is_not_called_erased(rig: Rig, tenant: str) -> None:
    process = await rig.process()
    known = await process.keyring.data_key(tenant, SUBJECT)

    with pytest.raises(UnknownKey, match="restore"):
        await process.keyring.keys_by_id(tenant, [known.id, uuid4()])


async def test_keys_are_read_again_at_their_age_and_vault_is_asked_at_its_own(
    rig: Rig, tenant: str
) -> None:
    process = await rig.process(limits=Limits(data_key_age=60, tenant_key_age=600))
    first = await process.keyring.data_key(tenant, SUBJECT)
    unwraps = process.transit.unwraps

    process.clock.now += 59
    assert await process.keyring.data_key(tenant, SUBJECT) is first
    process.clock.now += 1
    second = await process.keyring.data_key(tenant, SUBJECT)
    assert second is not first
    assert opens(first, second)
    assert process.transit.unwraps == unwraps

    process.clock.now += 600
    await asyncio.gather(
        *(process.keyring.data_key(tenant, f"conversations/{number}") for number in range(50))
    )

    assert process.transit.unwraps == unwraps + 1


async def test_no_more_keys_are_held_than_the_limit(rig: Rig, tenant: str) -> None:
    process = await rig.process(limits=Limits(data_keys=10))

    for number in range(25):
        await process.keyring.data_key(tenant, f"conversations/{number}")

    assert len(process.keyring._cache) == 10


async def test_processes_that_make_the_tenants_key_at_once_agree_on_one(
    rig: Rig, tenant: str
) -> None:
    processes = [await rig.process() for _ in range(8)]

    keys = await asyncio.gather(
        *(process.keyring.index_key(tenant, "blind-index") for process in processes)
    )

    assert len(set(keys)) == 1
    assert len(await rig.rows("SELECT 1 FROM keyring.tenant_key WHERE tenant = :t", t=tenant)) == 1


async def test_index_keys_differ_by_tenant_and_purpose_and_are_not_the_tenants_key(
    rig: Rig, tenant: str
) -> None:
    process = await rig.process()

    keys = {
        await process.keyring.index_key(tenant, "blind-index"),
        await process.keyring.index_key(tenant, "request-digest"),
        await process.keyring.index_key(tenant, "code"),
        await process.keyring.index_key(f"{tenant}-other", "code"),
    }

    (row,) = await rig.rows("SELECT wrapped FROM keyring.tenant_key WHERE tenant = :t", t=tenant)
    assert len(keys) == 4
    assert {len(key) for key in keys} == {32}
    assert await process.transit.unwrap(tenant, row.wrapped) not in keys
    assert row.wrapped.startswith("vault:v1:")


async def test_index_keys_stay_when_the_tenants_key_gets_a_new_version(
    rig: Rig, tenant: str
) -> None:
    before, after = await rig.process(), await rig.process()
    index_key = await before.keyring.index_key(tenant, "blind-index")
    old = await before.keyring.data_key(tenant, "conversations/old")
    wrapped = await before.transit.wrap(tenant, bytes(range(32)))
    async with rig.engine.begin() as connection:
        await connection.execute(
            text("INSERT INTO keyring.tenant_key (tenant, version, wrapped) VALUES (:t, 2, :w)"),
            {"t": tenant, "w": wrapped},
        )

    await after.keyring.data_key(tenant, "conversations/new")

    versions = await rig.rows(
        "SELECT subject, tenant_key_version AS v FROM keyring.data_key WHERE tenant = :t", t=tenant
    )
    assert {row.subject: row.v for row in versions} == {
        "conversations/old": 1,
        "conversations/new": 2,
    }
    assert await after.keyring.index_key(tenant, "blind-index") == index_key
    assert opens(old, await after.keyring.data_key(tenant, "conversations/old"))


async def test_a_row_that_was_altered_or_moved_is_no_key(rig: Rig, tenant: str) -> None:
    writer = await rig.process()
    for number in (1, 2):
        await writer.keyring.data_key(tenant, f"conversations/{number}")
    async with rig.engine.begin() as connection:
        await connection.execute(
            text(
                "UPDATE keyring.data_key SET wrapped = (SELECT wrapped FROM keyring.data_key"
                " WHERE tenant = :t AND subject = 'conversations/2')"
                " WHERE tenant = :t AND subject = 'conversations/1'"
            ),
            {"t": tenant},
        )
    reader = await rig.process()

    with pytest.raises(KeyBroken):
        await reader.keyring.data_key(tenant, "conversations/1")
    assert (await reader.keyring.data_key(tenant, "conversations/2")).tenant == tenant


@pytest.mark.parametrize("name", ["", "Demo", "d", "1demo", "demo'", "demo\n", "x" * 33])
async def test_a_malformed_tenant_is_refused(rig: Rig, name: str) -> None:
    process = await rig.process()

    with pytest.raises(ValueError, match="slug"):
        await process.keyring.data_key(name, SUBJECT)
    with pytest.raises(ValueError, match="slug"):
        await process.keyring.index_key(name, "code")


@pytest.mark.parametrize(
    "name", ["", "conversations", "conversations/", "a/b/c", "patients/+1555", "patients/1\0", "/1"]
)
async def test_a_malformed_subject_is_refused(rig: Rig, tenant: str, name: str) -> None:
    process = await rig.process()

    with pytest.raises(ValueError, match="resource name"):
        await process.keyring.data_key(tenant, name)
    with pytest.raises(ValueError, match="resource name"):
        await process.keyring.link(tenant, SUBJECT, name)
