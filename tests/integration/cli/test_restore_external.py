"""`careline restore --external` into a database as another administrator hands it over."""

import json
from pathlib import Path
from typing import Any

import pytest
from careline_cli.archive_keys import write_keys
from eventstore.memory import MemoryEventLog
from integration.cli.conftest import External
from sqlalchemy import text
from unit.eventstore.archive_rig import CLOSE_AT_ONCE, LOG, ArchiveRig

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
    assert json.loads(again.stdout) == {"restored": []}
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


async def test_without_public_keys_it_is_refused(databases: External, tmp_path: Path) -> None:
    refused = databases.run("restore", "--external", "--from", tmp_path.as_uri())

    assert refused.returncode == 2
    assert "--external needs it" in refused.stderr
