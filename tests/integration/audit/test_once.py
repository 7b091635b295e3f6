"""Each event has one entry: also when it comes again, and when audit or NATS stop in between."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from conftest import CreateDatabase
from integration.audit.rig import (
    SOURCES,
    Fact,
    Ground,
    Process,
    agent_name,
    ground_on,
    patient_name,
    process_on,
)
from integration.runtime.rig import eventually
from integration.runtime.vault_rig import VaultRig


@pytest.fixture
async def ground(
    create_database: CreateDatabase, vault: VaultRig, tmp_path: Path
) -> AsyncIterator[Ground]:
    """A platform of each test's own, whose servers it stops."""
    async with create_database() as database, ground_on(database, vault, tmp_path) as made:
        yield made


async def work(ground: Ground, patient: str, rounds: int) -> list[Fact]:
    """Have every service act and disclose, by turns."""
    facts = []
    for _ in range(rounds):
        for service in SOURCES:
            facts.append(await ground.happens(service))
            facts.append(await ground.discloses(service, patient, agent_name()))
    return facts


async def holds_all_once(process: Process, patient: str, facts: list[Fact]) -> None:
    entries = await process.entries_of(*facts)
    accesses = await (await process.auditor()).accesses(patient=patient, page_size=500)
    log = await process.log()

    assert [one.event_id for one in entries] == [str(fact.event.id) for fact in facts]
    disclosed = [str(fact.event.id) for fact in facts if fact.stream.startswith("disclosures/")]
    assert sorted(one.event_id for one in accesses) == sorted(disclosed)
    assert len(log) == len(facts)


async def test_events_that_come_again_have_their_one_entry(ground: Ground) -> None:
    patient = patient_name()
    async with process_on(ground) as process:
        facts = await work(ground, patient, 3)
        await holds_all_once(process, patient, facts)
        before = await process.log()
    await ground.forgets_its_positions()
    async with process_on(ground) as process:
        facts += await work(ground, patient, 1)
        await holds_all_once(process, patient, facts)
        assert (await process.log())[: len(before)] == before


async def test_audit_that_stops_again_and_again_misses_nothing(ground: Ground) -> None:
    patient = patient_name()
    working = asyncio.create_task(work(ground, patient, 30))
    for handled in range(20, 200, 40):
        async with process_on(ground) as process:

            async def so_far(process: Process = process, handled: int = handled) -> bool:
                return len(await process.log()) >= handled

            # It ends in the middle of what it is handling.
            await eventually(so_far, within=30)
    facts = await working
    async with process_on(ground) as process:
        await holds_all_once(process, patient, facts)


async def test_of_two_processes_one_records_and_the_other_takes_over(ground: Ground) -> None:
    patient = patient_name()
    async with process_on(ground) as second:
        async with process_on(ground) as first:
            facts = await work(ground, patient, 2)
            await holds_all_once(first, patient, facts)
            await holds_all_once(second, patient, facts)
        facts += await work(ground, patient, 2)
        await holds_all_once(second, patient, facts)


async def test_what_was_done_while_nats_was_killed_is_recorded_once_it_is_back(
    ground: Ground,
) -> None:
    patient = patient_name()
    async with process_on(ground) as process:
        facts = await work(ground, patient, 1)
        await holds_all_once(process, patient, facts)
        await ground.nats.kill()
        facts += await work(ground, patient, 1)
        await ground.nats.start()
        await holds_all_once(process, patient, facts)
