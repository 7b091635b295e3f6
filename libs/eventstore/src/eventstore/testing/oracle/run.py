"""Runs the oracle: writers, faults, and the comparison at the end."""

import asyncio
import random
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from eventstore.postgres.migrate import migrate
from eventstore.postgres.server_errors import SERVER_ERRORS
from eventstore.postgres.statements import fill, identifier
from eventstore.testing.oracle.assignment import Assignment
from eventstore.testing.oracle.journal import read_journals
from eventstore.testing.oracle.processes import Processes
from eventstore.testing.oracle.report import Report
from eventstore.testing.oracle.verdict import Recorded, judge_answers, judge_follower, judge_log

FAULT_EVERY_SECONDS = (0.4, 1.2)
RESTARTS_AT = (0.35, 0.7)
LONGEST_WAIT_SECONDS = 60.0
LOST_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Faults:
    """What is done meanwhile: writers killed by SIGKILL, their connections ended, the server
    restarted (twice, by the function given).
    """

    kills: bool = False
    terminations: bool = False
    restart: Callable[[], Awaitable[None]] | None = None


async def run_oracle(
    url: str, *, seconds: float, writers: int = 6, faults: Faults | None = None, seed: int = 0
) -> Report:
    """Run in the database at `url` (SQLAlchemy's, driver asyncpg), on a schema made and dropped.

    Its user must be allowed to make schemas and, for terminations, to signal backends.
    """
    schema = f"oracle_{uuid4().hex[:12]}"
    engine = create_async_engine(url, connect_args={"server_settings": {"careline.tenant": "*"}})
    try:
        async with engine.connect() as connection:
            user = (await connection.execute(text("select current_user"))).scalar_one()
        await migrate(engine, schema, owner_role=user, runtime_role=user)
        try:
            with tempfile.TemporaryDirectory(prefix="oracle-") as folder:
                assignment = Assignment("", url, schema, Path(folder), seed)
                return await _Run(engine, assignment, faults or Faults()).run(writers, seconds)
        finally:
            await _query(engine, f"drop schema {identifier(schema)} cascade")
    finally:
        await engine.dispose()


class _Run:
    def __init__(self, engine: AsyncEngine, assignment: Assignment, faults: Faults) -> None:
        self._engine = engine
        self._assignment = assignment
        self._faults = faults
        self._draw = random.Random(assignment.seed)  # noqa: S311 - chance, no secret
        self._processes = Processes(assignment, self._draw)
        self._done: Counter[str] = Counter()

    async def run(self, writers: int, seconds: float) -> Report:
        self._processes.start(writers)
        try:
            await self._until(lambda: self._count_of("writer") >= writers)
            await self._disturb(time.monotonic(), seconds)
            await self._processes.end_writers()
            log = await self._read_log()
            last = log[-1].position if log else 0
            # A follower that does not come to the end has missed what it lacks.
            await self._until(lambda: self._position_of("fenced") >= last)
            await self._until(lambda: self._position_of("unfenced") >= last)
        finally:
            self._processes.end()
        folder = self._assignment.folder
        answers, wrong = judge_answers(log, folder)
        return Report(
            seconds=seconds,
            events=len(log),
            streams=len({event.stream for event in log}),
            answers=answers,
            faults=self._done,
            violations=judge_log(log) + wrong + self._processes.died,
            follower=judge_follower(log, folder, "fenced"),
            unfenced=judge_follower(log, folder, "unfenced"),
        )

    async def _disturb(self, started: float, seconds: float) -> None:
        restarts = [started + seconds * part for part in RESTARTS_AT]
        while (left := started + seconds - time.monotonic()) > 0:
            await asyncio.sleep(min(self._draw.uniform(*FAULT_EVERY_SECONDS), left))
            if self._faults.restart and restarts and time.monotonic() > restarts[0]:
                restarts.pop(0)
                await self._faults.restart()
                self._done["server restarts"] += 1
            elif self._faults.kills and self._draw.random() < 1 / 2:
                self._processes.kill_a_writer()
                self._done["writers killed"] += 1
            elif self._faults.terminations:
                ended = await _query(self._engine, self._statement("terminate_writer"))
                self._done["connections ended"] += len(ended)

    @staticmethod
    async def _until(is_so: Callable[[], bool]) -> None:
        """Wait for what other processes write into files, at most a while."""
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        # A file of another process has no event to wait for
        while not is_so() and time.monotonic() < deadline:  # noqa: ASYNC110
            await asyncio.sleep(LOST_SECONDS)

    def _count_of(self, name: str) -> int:
        return sum(bool(lines) for lines in read_journals(self._assignment.folder, name))

    def _position_of(self, name: str) -> int:
        lines = [lines[-1] for lines in read_journals(self._assignment.folder, name) if lines]
        return max((line[0] for line in lines), default=0)

    async def _read_log(self) -> list[Recorded]:
        rows = await _query(self._engine, self._statement("read_all"))
        return [
            Recorded(row.position, row.stream, row.revision, row.event_id, row.data) for row in rows
        ]

    def _statement(self, name: str) -> str:
        sql = files("eventstore.testing.oracle") / f"{name}.sql"
        return fill(sql, {"schema": identifier(self._assignment.schema)})


async def _query(engine: AsyncEngine, statement: str) -> list[Row[Any]]:
    """Run a statement, again if the server was just restarted; at most a few times."""
    for _ in range(50):
        try:
            async with engine.begin() as connection:
                result = await connection.exec_driver_sql(statement)
                return list(result.all()) if result.returns_rows else []
        except (*SERVER_ERRORS, SQLAlchemyError):
            await asyncio.sleep(LOST_SECONDS)
    raise TimeoutError("the oracle lost its server")
