"""Answers get lost; appends do not, and none lands twice."""

import asyncio

import asyncpg
import pytest
from eventstore.errors import LogUnavailable, OutcomeUnknown
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.postgres import PostgresEventLog
from eventstore.postgres.sessions import Row, Session
from eventstore.testing.example_events import new_events, new_stream
from integration.eventstore.log_rig import LogSchema
from sqlalchemy.ext.asyncio import create_async_engine

NO_STREAM = ExpectedRevision.NO_STREAM
ANY = ExpectedRevision.ANY

LOSSES = [
    ConnectionResetError(),
    TimeoutError(),
    asyncpg.InternalClientError("cannot switch to state 12"),
    asyncpg.InterfaceError("connection was closed in the middle of operation"),
    asyncpg.AdminShutdownError("terminating connection due to administrator command"),
]


class Losses:
    """Loses the answer to an append, before or after it has landed, as often as told."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._fetch = Session.fetch
        self._left = 0
        self._lands = True
        self._loss: Exception = ConnectionResetError()
        losses = self

        async def fetch(session: Session, name: str, *arguments: object) -> list[Row]:
            return await losses.fetch(session, name, *arguments)

        monkeypatch.setattr(Session, "fetch", fetch)

    def lose(self, loss: Exception, *, times: int = 1, lands: bool = True) -> None:
        self._loss, self._left, self._lands = loss, times, lands

    async def fetch(self, session: Session, name: str, *arguments: object) -> list[Row]:
        if name != "append" or not self._left:
            return await self._fetch(session, name, *arguments)
        self._left -= 1
        if self._lands:
            await self._fetch(session, name, *arguments)
        raise self._loss


@pytest.fixture
def losses(monkeypatch: pytest.MonkeyPatch) -> Losses:
    return Losses(monkeypatch)


@pytest.mark.parametrize("lands", [True, False], ids=["landed", "did not land"])
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
async def test_an_append_whose_answer_is_lost_is_sent_again_and_lands_once(
    log: PostgresEventLog, losses: Losses, loss: Exception, lands: bool
) -> None:
    stream = new_stream()
    await log.append(Write(stream, NO_STREAM, new_events(1)))
    losses.lose(loss, times=2, lands=lands)

    appended = await log.append(Write(stream, ExpectedRevision.exact(0), new_events(2)))

    assert (appended.revisions, appended.duplicate) == ((2,), lands)
    assert [event.revision async for event in log.read_stream(stream)] == [0, 1, 2]


async def test_an_append_whose_answers_stay_lost_says_so(schema: LogSchema, losses: Losses) -> None:
    write = Write(new_stream(), NO_STREAM, new_events(2))
    async with PostgresEventLog(schema.engine, schema.name, patience=0.3) as log:
        losses.lose(ConnectionResetError(), times=10_000)
        with pytest.raises(OutcomeUnknown, match="same"):
            await log.append(write)
        losses.lose(ConnectionResetError(), times=0)

        assert (await log.append(write)).duplicate


async def test_ending_connections_loses_and_doubles_nothing(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    writes = [Write(new_stream(), NO_STREAM, new_events(2)) for _ in range(300)]

    async def end_connections() -> None:
        for _ in range(20):
            await schema.end_connections()
            await asyncio.sleep(0.01)

    ending = asyncio.create_task(end_connections())
    limit = asyncio.Semaphore(16)

    async def append(write: Write) -> None:
        async with limit:
            await log.append(write)

    await asyncio.gather(*(append(write) for write in writes))
    await ending

    recorded = [event.id async for event in log.read_log()]
    assert sorted(recorded) == sorted(event.id for write in writes for event in write.events)


async def test_reads_go_on_over_ended_connections(log: PostgresEventLog, schema: LogSchema) -> None:
    await log.append(Write(new_stream(), NO_STREAM, new_events(900)))
    await log.append(Write(new_stream(), NO_STREAM, new_events(900)))
    await log.append(Write(new_stream(), NO_STREAM, new_events(900)))
    positions = []
    async for event in log.read_log():
        positions.append(event.position)
        if len(positions) % 500 == 1:
            await schema.end_connections()

    assert len(positions) == 2_700
    assert positions == sorted(set(positions))


async def test_a_server_that_cannot_be_reached_is_said_so_in_time(schema: LogSchema) -> None:
    nowhere = schema.engine.url.update_query_dict({"host": "/nowhere"})
    engine = create_async_engine(nowhere)
    async with PostgresEventLog(engine, schema.name, patience=0.2) as log, asyncio.timeout(5):
        with pytest.raises(LogUnavailable):
            await log.append(Write(new_stream(), ANY, new_events(1)))
        with pytest.raises(LogUnavailable):
            await log.head()
        with pytest.raises(LogUnavailable):
            await anext(log.subscribe(after=0))
    await engine.dispose()


async def test_a_refusing_server_is_not_asked_again(
    log: PostgresEventLog, schema: LogSchema
) -> None:
    await schema.alter("revoke insert on {schema}.event from {runtime_role}")

    with pytest.raises(LogUnavailable, match="42501"):
        await log.append(Write(new_stream(), ANY, new_events(1)))
