"""A long conversation in a process that has just started."""

import asyncio

from integration.conversations.rig import Ground, Process, process_on
from integration.conversations.steps import get, patient_says, start
from sqlalchemy import text

MESSAGES = 520


async def test_a_process_that_starts_goes_on_from_the_snapshot_of_another(
    process: Process, ground: Ground
) -> None:
    frontend = await process.frontend()
    name = await start(frontend)
    for _ in range(0, MESSAGES, 40):
        await asyncio.gather(*(patient_says(frontend, name, "Hello again") for _ in range(40)))
    shown = await get(frontend, name)

    async with process_on(ground) as next_process:
        snapshots = next_process.serving.runtime.states._snapshots
        assert snapshots is not None
        assert await get(await next_process.same(frontend), name) == shown
        assert (snapshots.counts.used, snapshots.counts.refused) == (1, 0)

    (row,) = await ground.rows(
        "select decider, convert_from(state, 'UTF8') from conversations.snapshot where stream = :s",
        s=name,
    )
    assert row[0] == "conversations.domain.conversation.evolve"
    assert "Hello" not in row[1]


async def test_the_services_own_role_may_let_snapshots_go(ground: Ground) -> None:
    async with ground.queries.begin() as connection:
        await connection.execute(text("select set_config('careline.tenant', '*', true)"))
        await connection.execute(text("delete from conversations.snapshot"))

    assert await ground.rows("select 1 from conversations.snapshot") == []
