"""The oracle's follower: a process that subscribes to a log and holds what it sees to be exact.

It is told where by one line of JSON on standard input, then up to which positions it has to come,
one a line; it answers each when it is there. At the end of its input it says what it saw.
"""

import asyncio
import json
import sys
from array import array
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Self

from eventstore.event import RecordedEvent
from eventstore.postgres import PostgresEventLog
from eventstore.stream_id import StreamId
from eventstore.wake import Wake
from sqlalchemy import make_url

from benchmarks.store.database import Database, service_engine


class NotExact(Exception):
    """The follower did not see every acknowledged event once and in order: a promise is broken."""


@dataclass(frozen=True, slots=True)
class Seen:
    """How many events, a digest of their positions in the order seen, and how many came wrong."""

    events: int
    positions: str
    out_of_order: int
    with_a_gap: int
    wrong_revision: int


class Witness:
    """Holds each event against the one before it, in the log and in its stream."""

    def __init__(self) -> None:
        self._positions = array("q")
        self._revisions: dict[StreamId, int] = {}
        self._last = 0
        self._out_of_order = 0
        self._with_a_gap = 0
        self._wrong_revision = 0

    def sees(self, event: RecordedEvent) -> None:
        self._positions.append(event.position)
        self._out_of_order += event.position <= self._last
        self._with_a_gap += event.previous_position != self._last
        self._wrong_revision += event.revision != self._revisions.get(event.stream, -1) + 1
        self._revisions[event.stream] = event.revision
        self._last = event.position

    def says(self) -> Seen:
        return Seen(
            len(self._positions),
            digest(self._positions),
            self._out_of_order,
            self._with_a_gap,
            self._wrong_revision,
        )


def digest(positions: "array[int]") -> str:
    return sha256(positions.tobytes()).hexdigest()


class Follower:
    """The process, as the bench talks to it."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    @classmethod
    async def start(cls, database: Database, schema: str) -> Self:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "benchmarks.store.follower"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        follower = cls(process)
        # Not an argument: others could read the password in it.
        url = database.url.render_as_string(hide_password=False)
        await follower._ask(json.dumps({"url": url, "schema": schema}))
        return follower

    async def comes_to(self, position: int) -> None:
        """Return once it has seen the log up to a position."""
        await self._ask(str(position))

    async def finds(self, acknowledged: Sequence[int]) -> Seen:
        """End it, and hold what it saw against what was acknowledged. Raises NotExact."""
        said, _ = await self._process.communicate(b"")
        seen = Seen(**json.loads(said))
        expected = digest(array("q", sorted(acknowledged)))
        wrong = seen.out_of_order + seen.with_a_gap + seen.wrong_revision
        if wrong or (seen.events, seen.positions) != (len(acknowledged), expected):
            raise NotExact(f"{len(acknowledged)} events were acknowledged; the follower: {seen}")
        return seen

    async def stop(self) -> None:
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _ask(self, line: str) -> None:
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the follower was started without pipes")
        self._process.stdin.write(line.encode() + b"\n")
        if not await self._process.stdout.readline():
            raise NotExact("the follower ended before its time")


@asynccontextmanager
async def following(database: Database, schema: str) -> AsyncIterator[Follower]:
    follower = await Follower.start(database, schema)
    try:
        yield follower
    finally:
        await follower.stop()


async def _follow(lines: asyncio.StreamReader) -> Seen:
    told = json.loads(await lines.readline())
    engine = service_engine(make_url(told["url"]))
    witness = Witness()
    moved = Wake()

    async def watch(log: PostgresEventLog) -> None:
        async for page in log.subscribe(after=0):
            for event in page.events:
                witness.sees(event)
            moved.ring(page.position)

    async with PostgresEventLog(engine, told["schema"]) as log, asyncio.TaskGroup() as group:
        watching = group.create_task(watch(log))
        _answer("started")
        while line := await lines.readline():
            while moved.position < int(line):
                await moved.arm().wait()
            _answer(moved.position)
        watching.cancel()
    await engine.dispose()
    return witness.says()


def _answer(said: Any) -> None:  # noqa: ANN401 - whatever JSON can say
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


async def _main() -> None:
    lines = asyncio.StreamReader(limit=1 << 20)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    _answer(asdict(await _follow(lines)))


if __name__ == "__main__":
    asyncio.run(_main())
