"""The statements find what they need by the keys, as the runtime role and under row security."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.postgres.append_statement import _parts, _rows
from eventstore.postgres.sessions import Session
from eventstore.postgres.statements import load_statements
from eventstore.testing.example_events import new_events, new_id, new_stream
from integration.eventstore.log_rig import LogSchema

ANY = ExpectedRevision.ANY
BYTES = 8 << 20
STREAM = new_stream()
WRITES = (Write(STREAM, ANY, new_events(2)), Write(new_stream(), ANY, new_events(1)))


@pytest.fixture
async def session(schema: LogSchema, log: PostgresEventLog) -> AsyncIterator[Session]:
    """A log's session, beside a few thousand events that the statistics know of."""
    for _ in range(4):
        await log.append(Write(STREAM, ANY, new_events(1_000)))
    await schema.alter("analyze {schema}.event")
    async with schema.rival_engine.connect() as connection:
        session = Session(connection, load_statements(schema.name))
        await session.enter()
        yield session
        await session.leave()


@pytest.mark.parametrize(
    ("name", "arguments", "index"),
    [
        ("read_log_all_types", [100, 3_000, 50, BYTES], "event_pkey"),
        ("read_log_forwards", [100, 3_000, 50, BYTES, None], "event_pkey"),
        ("read_log_forwards", [100, 3_000, 50, BYTES, ["a.B"]], "event_pkey"),
        ("read_log_backwards", [100, 3_000, 50, BYTES, None], "event_pkey"),
        (
            "read_stream_forwards",
            [STREAM.key, STREAM.tenant, STREAM.name, 0, 1 << 60, 50, BYTES],
            "event_stream_key_revision_key",
        ),
        (
            "read_stream_backwards",
            [STREAM.key, STREAM.tenant, STREAM.name, 0, 1 << 60, 50, BYTES],
            "event_stream_key_revision_key",
        ),
        (
            "revision_as_of",
            [STREAM.key, STREAM.tenant, STREAM.name, 3_000, 3_000, datetime.now(UTC)],
            "event_stream_key_revision_key",
        ),
        (
            "write_snapshot",
            [STREAM.key, STREAM.tenant, STREAM.name, "decider", "version", 9, 10, b"", b""],
            "event_stream_key_revision_key",
        ),
        ("recall", [[new_id(), new_id()]], "event_event_id_key"),
        ("append", [*_parts([WRITES]), *_rows([WRITES])], "event_stream_key_revision_key"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_statement_finds_events_by_its_key(
    session: Session, schema: LogSchema, name: str, arguments: list[object], index: str
) -> None:
    statement = load_statements(schema.name)[name]
    explained = await session.driver.fetchval(f"explain (format json) {statement}", *arguments)

    on_events = [
        node
        for node in nodes(explained[0]["Plan"])
        if node.get("Relation Name") == "event" and node["Node Type"] != "ModifyTable"
    ]
    assert on_events
    assert {node["Node Type"] for node in on_events} <= {"Index Scan", "Index Only Scan"}
    assert all("Index Cond" in node for node in on_events)
    assert index in {node["Index Name"] for node in on_events}


@pytest.mark.parametrize(
    ("name", "types"), [("read_log_forwards", [None]), ("read_log_all_types", [])]
)
async def test_a_page_of_the_log_is_read_in_order_and_no_further(
    session: Session, schema: LogSchema, name: str, types: list[None]
) -> None:
    statement = load_statements(schema.name)[name]
    explained = await session.driver.fetchval(
        f"explain (analyze, format json) {statement}", 100, 3_000, 50, BYTES, *types
    )

    rows = [
        node["Actual Rows"] * node["Actual Loops"]
        for node in nodes(explained[0]["Plan"])
        if node.get("Relation Name") == "event"
    ]
    assert sorted(rows) == [1, 50]


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for child in plan.get("Plans", []):
        yield from nodes(child)
