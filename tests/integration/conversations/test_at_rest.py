"""Nothing that a person said or is stands in clear in any table or span."""

import base64

from integration.conversations.rig import Process
from integration.conversations.steps import (
    CHAT,
    agent_says,
    bot_says,
    code,
    hand_to,
    join,
    patient_says,
    start,
    wrap_up,
)
from sqlalchemy import text

SAID = "I am allergic to penicillin"
ANSWERED = "Please come on Thursday"
NOTES = "Worried about her thyroid"
ADDRESS = "+16175550147"
SESSION = "chat-session-of-hers"
CODE = "QX7Z9K2W4V"


async def tables(process: Process) -> list[str]:
    rows = await process.ground.rows(
        "select format('%I.%I', table_schema, table_name) as name from information_schema.tables"
        " where table_schema in ('conversations', 'keyring') and table_type = 'BASE TABLE'"
    )
    return [row.name for row in rows]


async def content(process: Process) -> str:
    """Every cell of every table, bytes as hexadecimal digits."""
    rows: list[str] = []
    async with process.ground.database.engine.connect() as connection:
        for table in await tables(process):
            found = await connection.execute(text(f"select t::text from {table} t"))  # noqa: S608  the catalogue's names
            rows += [str(row) for row in found.scalars()]
    return "\n".join(rows)


def variants(value: str) -> set[str]:
    octets = value.encode()
    return {value, value.lower(), octets.hex(), base64.b64encode(octets).decode().rstrip("=")}


async def test_what_was_said_and_where_it_goes_is_sealed_everywhere(process: Process) -> None:
    frontend, agent = await process.frontend(), await process.agent()
    identity = await process.service("identity")
    name = await start(frontend, address=ADDRESS)
    await patient_says(frontend, name, SAID)
    await bot_says(frontend, name, ANSWERED)
    await identity.deliveries.EnqueueCode(code(name, text=CODE))
    await hand_to(process, frontend, agent, name)
    await join(frontend, name, CHAT, SESSION)
    await agent_says(agent, name, ANSWERED)
    await wrap_up(agent, name, NOTES)
    *_, queued, _ = await process.events(name)
    await process.read_models_reach(queued.position)

    stored = await content(process)
    spans = "".join(span.to_json() for span in process.spans.get_finished_spans())

    assert name in stored
    assert "one_time_code" in " ".join(await tables(process))
    for value in (SAID, ANSWERED, NOTES, ADDRESS, SESSION, CODE):
        for variant in variants(value):
            assert variant not in stored
            assert variant not in spans


async def test_the_scan_finds_what_is_not_sealed(process: Process) -> None:
    frontend = await process.frontend()
    name = await start(frontend)
    await process.ground.execute(
        "create table if not exists conversations.planted as"
        f" select '{SAID}'::text as clear, convert_to('{NOTES}', 'UTF8') as octets"
    )
    try:
        stored = await content(process)
    finally:
        await process.ground.execute("drop table conversations.planted")

    assert name in stored
    assert any(variant in stored for variant in variants(SAID))
    assert any(variant in stored for variant in variants(NOTES))
