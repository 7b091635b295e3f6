"""A keyring that comes back as it was before an erasure: the logs say who is to be erased again."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from careline.conversations.events.v1.events_pb2 import PatientLinked
from careline.patient_context.events.v1.events_pb2 import PatientErased, PatientErasureRequested
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.platform.keyring_backup.reapplied import reapply
from careline_cli.platform.keyring_backup.restore import is_to_be_reapplied, restore_keyring
from careline_cli.platform.keyring_backup.standby import keyring_server
from careline_cli.provision.migrations import migrate_platform
from careline_cli.provision.postgres import create_database, create_roles, service_schema
from careline_cli.provision.provisioned import PLATFORM_DATABASE, Databases, superuser_engine
from conftest import OpenBao
from embedded import PostgresServer, running
from eventstore.event import NewEvent
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.stream_id import StreamId
from google.protobuf.message import Message
from integration.cli.keyring_rig import keys, restored_keys, running_keyring
from integration.sealing.transit import mount_transit
from sealing.keyring import DataKey, Erased, Keyring
from sqlalchemy.ext.asyncio import AsyncEngine

ADA, BEN, CYD = "patients/ada", "patients/ben", "patients/cyd"
SUBJECTS = (ADA, BEN, CYD, "conversations/ada", "conversations/ben", "conversations/cyd")
LOGS = ("conversations", "patient_context")
TENANT = f"t{uuid4().hex[:20]}"


@pytest.fixture
async def data(tmp_path: Path, openbao: OpenBao) -> DataDirectory:
    mount_transit(openbao.client())
    data = DataDirectory.of(tmp_path / "data")
    data.create()
    async with running(PostgresServer(data.root / "postgres", durable=False)) as server:
        async with superuser_engine(server, "postgres") as administration:
            await create_database(administration, PLATFORM_DATABASE)
        async with superuser_engine(server, PLATFORM_DATABASE) as engine:
            schemas = [service_schema(service) for service in LOGS]
            await create_roles(engine, PLATFORM_DATABASE, schemas, "unused")
            await migrate_platform(engine, LOGS)
    return data


async def test_who_was_erased_after_the_backup_is_erased_in_the_restored_keyring(
    data: DataDirectory, openbao: OpenBao
) -> None:
    platform = PostgresServer(data.root / "postgres", durable=False)
    async with running_keyring(data) as keyring, keys(keyring.server, openbao) as process:
        made = {subject: (await process.data_key(TENANT, subject)).id for subject in SUBJECTS}
        keyring.take_base()
        before_the_links = datetime.now(UTC)
        async with running(platform):
            await link_and_erase(process, platform)
        assert await erased(process, made) == {ADA, "conversations/ada"}
        await keyring.kill()
    await asyncio.to_thread(shutil.rmtree, data.root / "keyring")

    restored = await restore_keyring(data, at=before_the_links, say=lambda _: None)

    assert restored.reapplied is not None
    assert (restored.reapplied.links, restored.reapplied.erased) == (3, 2)
    assert not is_to_be_reapplied(data)
    async with restored_keys(data, openbao) as process:
        # Ada's erasure was done; Ben's was on record only when the keyring was lost.
        gone = {ADA, "conversations/ada", BEN, "conversations/ben"}
        assert await erased(process, made) == gone
        assert [link.patient for link in await process.links(TENANT, "conversations/cyd")] == [CYD]


async def test_links_from_before_the_base_backup_are_not_made_again(
    data: DataDirectory, openbao: OpenBao
) -> None:
    databases = Databases(
        PostgresServer(data.root / "postgres", durable=False), keyring_server(data)
    )
    async with (
        running_keyring(data) as keyring,
        keys(keyring.server, openbao) as process,
        running(databases.platform),
    ):
        await link_and_erase(process, databases.platform)
        now = datetime.now(UTC)
        before = await reapply(databases, now - timedelta(days=1))
        after = await reapply(databases, now + timedelta(days=1))

    # Ada was erased, so that her conversation is linked no more; Ben is erased by the first.
    assert (before.links, before.erased) == (2, 2)
    assert (after.links, after.erased) == (0, 2)


async def link_and_erase(process: Keyring, platform: PostgresServer) -> None:
    async with superuser_engine(platform, PLATFORM_DATABASE) as engine:
        for name in ("ada", "ben", "cyd"):
            await process.link(TENANT, f"conversations/{name}", f"patients/{name}")
            linked = PatientLinked(patient=f"patients/{name}")
            await append(engine, "conversations", f"conversations/{name}", linked)
        for patient in (ADA, BEN):
            request = PatientErasureRequested(reason="PATIENT_REQUEST")
            await append(engine, "patient_context", patient, request)
        erasure = await process.erase(TENANT, ADA, ADA)
        done = PatientErased(subjects=erasure.erased)
        await append(engine, "patient_context", ADA, done)


async def append(engine: AsyncEngine, log: str, stream: str, message: Message) -> None:
    event = NewEvent(
        uuid4(), message.DESCRIPTOR.full_name, message.SerializeToString(), b"", bytes(32)
    )
    async with PostgresEventLog(engine, log) as opened:
        await opened.append(Write(StreamId(TENANT, stream), ExpectedRevision.ANY, (event,)))


async def erased(process: Keyring, made: dict[str, UUID]) -> set[str]:
    found = await process.keys_by_id(TENANT, list(made.values()))
    assert all(isinstance(key, DataKey | Erased) for key in found.values())
    return {key.subject for key in found.values() if isinstance(key, Erased)}
