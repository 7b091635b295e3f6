"""`careline restore --external` into a database as another administrator hands it over."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from careline_cli.archive_keys import write_keys
from embedded import write_private
from eventstore.memory import MemoryEventLog
from integration.cli.conftest import External
from integration.messaging.lost_log_rig import publish
from integration.messaging.nats_rig import NatsRig
from messaging.permissions import Permissions
from sqlalchemy import text
from unit.eventstore.archive_rig import CLOSE_AT_ONCE, LOG, ArchiveRig

_API = "$JS.API"
AS_THE_RUNBOOK_SAYS = Permissions(
    (
        f"{_API}.STREAM.INFO.*",
        f"{_API}.STREAM.MSG.GET.*",
        f"{_API}.CONSUMER.CREATE.*.restore_tail",
        f"{_API}.CONSUMER.MSG.NEXT.*.restore_tail",
        f"{_API}.CONSUMER.DELETE.*.restore_tail",
    ),
    ("_INBOX_restore.>",),
)
EVENTS = f"select position, event_id, data, digest, recorded_at from {LOG}.event order by position"  # noqa: S608 - a constant


@pytest.fixture
async def rig(tmp_path: Path) -> ArchiveRig:
    rig = ArchiveRig(tmp_path / "archive", MemoryEventLog())
    await rig.archive(3, CLOSE_AT_ONCE)
    await rig.archive(2)
    return rig


@pytest.fixture
async def arguments(rig: ArchiveRig, tmp_path: Path) -> tuple[str, ...]:
    keys = tmp_path / "keys.json"
    keys.write_text(write_keys({LOG: await rig.public_keys()}))
    where = ("--from", rig.folder.as_uri(), "--service", LOG, "--public-keys", str(keys))
    return ("restore", "--external", *where)


async def events(databases: External) -> list[tuple[Any, ...]]:
    async with databases.database.engine.connect() as connection:
        return [tuple(row) for row in await connection.execute(text(EVENTS))]


async def test_a_log_is_restored_by_a_login_that_vault_makes(
    databases: External, rig: ArchiveRig, arguments: tuple[str, ...]
) -> None:
    assert databases.migrate().returncode == 0

    done = databases.run(*arguments, "--json")
    again = databases.run(*arguments, "--json")

    assert done.returncode == 0, done.stderr
    [restored] = json.loads(done.stdout)["restored"]
    assert (restored["log"], restored["epoch"], restored["events"]) == (LOG, 2, 5)
    assert await events(databases) == [
        (one.position, one.id, one.data, one.digest, one.recorded_at)
        async for one in rig.log.read_log()
    ]
    assert json.loads(again.stdout)["restored"] == []
    assert f"the log of {LOG} is restored already" in again.stderr


async def test_a_damaged_archive_is_one_line_and_changes_nothing(
    databases: External, rig: ArchiveRig, arguments: tuple[str, ...]
) -> None:
    assert databases.migrate().returncode == 0
    rig.files("*.segment.zst")[0].unlink()

    refused = databases.run(*arguments)

    assert refused.returncode == 1
    assert "SEGMENT_MISSING" in refused.stderr.splitlines()[-1]
    assert await events(databases) == []


async def test_a_database_that_was_not_migrated_is_one_line(
    databases: External, arguments: tuple[str, ...]
) -> None:
    refused = databases.run(*arguments)

    assert refused.returncode == 1
    assert "run careline migrate first" in refused.stderr.splitlines()[-1]


async def test_what_streams_elsewhere_have_beyond_the_archive_is_read_by_a_user_that_only_reads(
    databases: External, rig: ArchiveRig, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    assert databases.migrate().returncode == 0
    await rig.append(2)
    nats = NatsRig(tmp_path)
    await nats.start()
    try:
        await nats.provision([LOG])
        async with await nats.connect(nats.administrator()) as administrator:
            await publish(administrator, [one async for one in rig.log.read_log()])
        reader = nats.operator.platform.credentials("restore", AS_THE_RUNBOOK_SAYS)
        write_private(tmp_path / "restore.creds", reader.text)
        there = {"NATS_URL": nats.servers[0], "NATS_CREDS_FILE": str(tmp_path / "restore.creds")}
        done = await asyncio.to_thread(databases.run, *arguments, "--json", **there)
    finally:
        await nats.stop()

    assert done.returncode == 0, done.stderr
    [restored] = json.loads(done.stdout)["restored"]
    assert (restored["from_archive"], restored["from_stream"]) == (5, 2)
    assert (restored["stream"]["left_out"], restored["stream"]["renewed"]) == (0, False)
    assert [row[1] for row in await events(databases)] == [
        one.id async for one in rig.log.read_log()
    ]


async def test_credentials_of_nats_are_asked_for(
    databases: External, arguments: tuple[str, ...]
) -> None:
    refused = databases.run(*arguments, NATS_URL="nats://127.0.0.1:1")

    assert refused.returncode == 1
    assert "CARELINE_NATS_CREDS_FILE is missing" in refused.stderr


async def test_without_public_keys_it_is_refused(databases: External, tmp_path: Path) -> None:
    refused = databases.run("restore", "--external", "--from", tmp_path.as_uri())

    assert refused.returncode == 2
    assert "--external needs it" in refused.stderr
