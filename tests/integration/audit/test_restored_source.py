"""A service's log was restored to before what the trail had followed: the trail says so."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from audit.settings import CONSUMES
from careline.audit.events.v1.events_pb2 import EntriesRetracted
from conftest import CreateDatabase
from integration.audit.rig import OTHER, Ground, Process, ground_on, process_on
from integration.messaging.upkeep_rig import rebuilt
from integration.runtime.log_owner import serving_log
from integration.runtime.vault_rig import VaultRig

SOURCE = "patient_context"
RETRACTED = EntriesRetracted.DESCRIPTOR.full_name


@pytest.fixture
async def ground(
    create_database: CreateDatabase, vault: VaultRig, tmp_path: Path
) -> AsyncIterator[Ground]:
    async with (
        create_database() as database,
        ground_on(database, vault, tmp_path) as made,
    ):
        yield made


@pytest.fixture
async def owner(ground: Ground) -> AsyncIterator[str]:
    """The address of the service whose log is restored."""
    async with serving_log(ground.logs[SOURCE].log, ground.keys) as port:
        yield f"127.0.0.1:{port}"


async def retractions(process: Process) -> dict[str, EntriesRetracted]:
    return {
        event.stream.tenant: EntriesRetracted.FromString(event.data)
        for event in await process.log()
        if event.type == RETRACTED
    }


async def test_the_trail_names_what_has_no_event_any_more_and_follows_the_restored_log(
    ground: Ground, owner: str
) -> None:
    async with process_on(ground, {SOURCE: owner}) as process:
        kept = [await ground.happens(SOURCE) for _ in range(3)]
        lost = [await ground.happens(SOURCE) for _ in range(2)]
        theirs = await ground.happens(SOURCE, tenant=OTHER)
        await process.entries_of(*kept, *lost)
        await (await process.auditor(OTHER)).follows(SOURCE, theirs.position)

        await ground.logs[SOURCE].is_restored_to(kept[-1].position)
        followers = tuple(one for one in CONSUMES if one.source == SOURCE)
        assert (await rebuilt(ground.nats, ground.logs[SOURCE], followers)).ok
        after = [await ground.happens(SOURCE) for _ in range(2)]
        entries = await process.entries_of(*kept, *lost, *after)

        assert [one.event_id for one in entries] == [
            str(fact.event.id) for fact in (*kept, *lost, *after)
        ]
        told = await retractions(process)
        assert {tenant: one.entries for tenant, one in told.items()} == {"demo": 2, "other": 1}
        assert told["demo"] == EntriesRetracted(
            service=SOURCE,
            followed_epoch=1,
            restored_epoch=2,
            after_position=kept[-1].position,
            until_position=theirs.position,
            entries=2,
        )
