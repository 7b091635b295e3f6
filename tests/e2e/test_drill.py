"""Disasters rehearsed by `careline drill`, and a fault that was planted, which it must find."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest
from careline_cli.drill.catalogue import SCENARIOS
from careline_cli.drill.own_log import CONVERSATIONS
from careline_cli.drill.rehearsal import Plan, rehearse
from careline_cli.drill.scenarios.jetstream_lost import JetstreamLost
from careline_cli.drill.stage import Stage, Struck
from careline_cli.platform.data_directory import BACKUP_DIRECTORY
from careline_cli.provision.provisioned import PLATFORM_DATABASE, superuser_engine
from embedded import PostgresServer
from sqlalchemy import text

pytestmark = pytest.mark.timeout(900)

DRILL_SECONDS: Final = 900
KEYS: Final = (
    "name",
    "acknowledged",
    "lost",
    "newest_lost_age_seconds",
    "doubled",
    "reordered",
    "readable_after_erasure",
    "rpo_seconds",
    "rto_seconds",
    "passed",
)


def drilled(folder: Path, *arguments: str, **changes: str) -> tuple[int, dict[str, Any]]:
    """Run one drill in a folder; gives the command's status and the drill's report.

    `changes` are variables of its environment.
    """
    done = subprocess.run(
        (sys.executable, "-m", "careline_cli", "drill", *arguments, "--json"),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=DRILL_SECONDS,
        env={**os.environ, **changes},
        check=False,
    )
    assert done.stdout, done.stderr[-2000:]
    (report,) = json.loads(done.stdout)["drills"]
    return done.returncode, report


def test_calls_go_on_and_nothing_is_lost_when_jetstream_is(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    backups_of_another = tmp_path_factory.mktemp("backups")
    status, report = drilled(
        tmp_path,
        *("jetstream-lost", "--rate", "40", "--seconds", "2", "--events", "800"),
        **{BACKUP_DIRECTORY: str(backups_of_another)},
    )

    assert report["reasons"] == []
    assert report["passed"]
    assert status == 0
    assert tuple(report)[: len(KEYS)] == KEYS
    assert report["lost"] == {"LOCAL": 0, "REPLICATED": 0}
    assert all(report["acknowledged"].values())
    assert report["rate"] >= 40
    assert report["preloaded"] == 800
    assert list(tmp_path.iterdir()) == []
    assert list(backups_of_another.iterdir()) == []


@pytest.mark.long
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_disaster_under_full_load_keeps_what_was_promised(tmp_path: Path, name: str) -> None:
    status, report = drilled(tmp_path, name)

    assert report["reasons"] == []
    assert status == 0


class Tampered(JetstreamLost):
    """A recovery after which a superuser deletes one acknowledged event."""

    async def recover(self, stage: Stage, struck: Struck) -> None:
        await super().recover(stage, struck)
        victim = next(one for one in stage.load.journals().acknowledged if one.log == CONVERSATIONS)
        server = PostgresServer(stage.data.root / "postgres")
        async with superuser_engine(server, PLATFORM_DATABASE) as engine, engine.begin() as admin:
            # Triggers stop the owner's accidents, and do not fire for a replica.
            await admin.execute(text("set local session_replication_role = replica"))
            deleted = await admin.execute(
                text("delete from conversations.event where event_id = :id"),
                {"id": victim.event_id},
            )
            assert deleted.rowcount == 1


@pytest.mark.long
async def test_an_event_deleted_by_a_superuser_after_the_recovery_is_found(
    tmp_path: Path,
) -> None:
    steps: list[str] = []
    report = await rehearse(Tampered(), Plan(rate=40, seconds=2, events=0), tmp_path, steps.append)

    assert report.verdict.lost == {"LOCAL": 1, "REPLICATED": 0}
    assert not report.verdict.passed
    assert report.verdict.reasons[0] == (
        "1 LOCAL writes are lost that were safe elsewhere at the kill"
    )
    assert "the stream of conversations differs from its log" in report.verdict.reasons
