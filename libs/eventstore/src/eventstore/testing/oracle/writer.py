"""A writer process of the oracle."""

import asyncio
import random

from eventstore.errors import EventLogError, OutcomeUnknown, RevisionConflict
from eventstore.event_log import Write
from eventstore.postgres import PostgresEventLog
from eventstore.postgres.append_statement import attempt
from eventstore.postgres.server_errors import SERVER_ERRORS, nothing_happened
from eventstore.postgres.sessions import Sessions
from eventstore.postgres.statements import load_statements
from eventstore.testing.oracle.assignment import Assignment
from eventstore.testing.oracle.journal import Journal
from eventstore.testing.oracle.request import Requests

CLIENTS = 6
PAUSE_SECONDS = 0.004
REPEATED_LATE = 0.05
REPEATED_WHILE_OPEN = 0.3
ROLLED_BACK = 0.2
HELD_SECONDS = (0.0, 0.002, 0.01, 0.03, 0.06)


class _RolledBack(EventLogError):
    """The writer changed its mind."""


def write(assignment: Assignment) -> None:
    """Append until the end is announced."""
    asyncio.run(_Writer(assignment).run())


class _Writer:
    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._journal = Journal(assignment.folder, "writer")
        self._draw = random.Random(assignment.seed)  # noqa: S311 - chance, no secret
        self._requests = Requests(self._draw)
        self._asked: list[tuple[Write, ...]] = []

    async def run(self) -> None:
        engine = self._assignment.engine()
        schema = self._assignment.schema
        sessions = Sessions(engine, load_statements(schema), limit=1)
        try:
            async with PostgresEventLog(engine, schema) as log:
                async with asyncio.TaskGroup() as group:
                    for _ in range(CLIENTS):
                        group.create_task(self._append_on(log))
                    group.create_task(self._hold_open_on(log, sessions))
                await sessions.close()
        finally:
            await engine.dispose()
            self._journal.close()

    def _ask(self) -> int:
        """Draw a request and note it before it is sent; gives its number."""
        writes = self._requests.next()
        self._asked.append(writes)
        number = len(self._asked) - 1
        parts = [
            [write.stream.name, write.expected.code, [str(event.id) for event in write.events]]
            for write in writes
        ]
        self._journal.write("asked", number, parts)
        return number

    async def _append_on(self, log: PostgresEventLog) -> None:
        """Append as services do, at times repeating an earlier request."""
        while not self._assignment.is_over:
            await self._append(log, self._ask())
            if self._draw.random() < REPEATED_LATE:
                await self._append(log, self._draw.randrange(len(self._asked)))
            await asyncio.sleep(self._draw.random() * PAUSE_SECONDS)

    async def _append(self, log: PostgresEventLog, number: int) -> None:
        writes = self._asked[number]
        try:
            appended = await log.append(*writes)
        except RevisionConflict as conflict:
            self._requests.unlearn(conflict.stream, conflict.actual)
            self._journal.write("refused", number, type(conflict).__name__)
        except OutcomeUnknown:
            self._journal.write("unknown", number)
        except EventLogError as error:
            self._journal.write("refused", number, type(error).__name__)
        else:
            self._requests.learn(writes, appended.revisions)
            self._journal.write("landed", number, appended.position, appended.revisions)

    async def _hold_open_on(self, log: PostgresEventLog, sessions: Sessions) -> None:
        """Append in transactions held open, some of them repeated meanwhile."""
        while not self._assignment.is_over:
            number = self._ask()
            appended = asyncio.Event()
            repeat = asyncio.ensure_future(self._repeat_once(appended, log, number))
            try:
                await self._hold_open(sessions, number, appended)
            except (EventLogError, *SERVER_ERRORS) as error:
                is_known = isinstance(error, EventLogError) or nothing_happened(error)
                self._journal.write("rolled back" if is_known else "unknown", number)
            if not appended.is_set():
                repeat.cancel()
            await asyncio.gather(repeat, return_exceptions=True)

    async def _repeat_once(
        self, appended: asyncio.Event, log: PostgresEventLog, number: int
    ) -> None:
        """Send the request that a transaction holds open a second time, at times."""
        await appended.wait()
        if self._draw.random() < REPEATED_WHILE_OPEN:
            await self._append(log, number)

    async def _hold_open(self, sessions: Sessions, number: int, is_appended: asyncio.Event) -> None:
        writes = self._asked[number]
        async with sessions.use() as session, session.driver.transaction():
            (appended,) = await attempt(session, [writes])
            if appended is None:
                raise _RolledBack
            is_appended.set()
            await asyncio.sleep(self._draw.choice(HELD_SECONDS))
            if self._draw.random() < ROLLED_BACK:
                raise _RolledBack
        self._requests.learn(writes, appended.revisions)
        self._journal.write("landed", number, appended.position, appended.revisions)
