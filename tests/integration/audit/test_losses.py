"""What a stream lost and what audit can not read: seen, and filled or kept, never passed over."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import CreateDatabase
from integration.audit.rig import Fact, Ground, Process, ground_on, process_on
from integration.runtime.log_owner import serving_log
from integration.runtime.rig import eventually
from integration.runtime.vault_rig import VaultRig
from messaging.names import stream_name

SOURCE = "patient_context"
STREAM = stream_name(SOURCE)


@dataclass(frozen=True, slots=True)
class Losing:
    """A platform on which a stream loses messages, and the port of who has them all."""

    ground: Ground
    port: int

    @property
    def peers(self) -> dict[str, str]:
        return {SOURCE: f"127.0.0.1:{self.port}"}

    async def lose(self, *sequences: int) -> None:
        """Delete messages once they are there."""
        async with await self.ground.nats.connect(self.ground.nats.administrator()) as client:
            js = client.jetstream()

            async def are_there() -> bool:
                return (await js.stream_info(STREAM)).state.last_seq > max(sequences)

            await eventually(are_there)
            for sequence in sequences:
                await js.delete_msg(STREAM, sequence)


@pytest.fixture
async def losing(
    create_database: CreateDatabase, vault: VaultRig, tmp_path: Path
) -> AsyncIterator[Losing]:
    async with (
        create_database() as database,
        ground_on(database, vault, tmp_path, lossy=[SOURCE]) as made,
        serving_log(made.logs[SOURCE].log, made.keys) as port,
    ):
        yield Losing(made, port)


async def recorded(process: Process, facts: list[Fact]) -> None:
    entries = await process.entries_of(*facts)
    assert [one.event_id for one in entries] == [str(fact.event.id) for fact in facts]


async def test_what_the_stream_lost_is_read_from_its_owners_log(losing: Losing) -> None:
    facts = [await losing.ground.happens(SOURCE) for _ in range(6)]
    await losing.lose(1, 3, 4)
    async with process_on(losing.ground, losing.peers) as process:
        await recorded(process, facts)
        assert len(await process.log()) == 6


async def test_a_gap_that_can_not_be_filled_holds_its_log_alone_and_shows_in_coverage(
    losing: Losing,
) -> None:
    facts = [await losing.ground.happens(SOURCE) for _ in range(5)]
    await losing.lose(3)
    other = await losing.ground.happens("routing")
    async with process_on(losing.ground) as process:
        auditor = await process.auditor()
        await auditor.follows(SOURCE, facts[1].position)
        await recorded(process, [other])
        coverage = await auditor.coverage()
        assert coverage[SOURCE].position == facts[1].position
        assert coverage["routing"].position == other.position
        assert coverage["identity"].position == 0
    async with process_on(losing.ground, losing.peers) as process:
        await recorded(process, facts)


async def test_an_event_that_can_not_be_read_is_kept_apart_and_its_neighbours_are_recorded(
    losing: Losing,
) -> None:
    before = await losing.ground.happens(SOURCE)
    broken = await losing.ground.happens(SOURCE, metadata=b"\xff\xff Jane Doe")
    after = await losing.ground.happens(SOURCE)
    async with process_on(losing.ground) as process:

        async def is_parked() -> bool:
            return bool(await losing.ground.dead_letters())

        # Eight tries, each after twice the pause before.
        await eventually(is_parked, within=60, pause=0.2)
        await recorded(process, [before, after])
        assert len(await process.log()) == 2
    (letter,) = await losing.ground.dead_letters()
    assert (letter.consumer, letter.event.source) == ("audit_trail", SOURCE)
    assert (letter.event.id, letter.event.position) == (broken.event.id, broken.position)
    assert (letter.reason, letter.error_type) == ("FAILED", "DecodeError")
