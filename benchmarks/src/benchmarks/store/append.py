"""Appends side by side: our log, the raw statement, and the peer in both its modes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from eventstore.event_log import Write
from eventstore.postgres import PostgresEventLog
from eventstore.postgres.sessions import Sessions
from eventstore.postgres.statements import load_statements

from benchmarks.figure import Figure, Target, at_least
from benchmarks.store import ours, peer
from benchmarks.store.database import Database
from benchmarks.store.events import writes
from benchmarks.store.follower import Follower, Seen, following
from benchmarks.store.raw import LANES, append_raw
from benchmarks.store.scale import MOST_APPENDS, Scale
from benchmarks.store.turns import Turn, Turns

OURS: Final = "ours"
RAW: Final = "raw fenced statement"
ORDERED: Final = f"{peer.NAME} ordered"
UNORDERED: Final = f"{peer.NAME} unordered (POSTGRES_ENABLE_DB_FUNCTIONS)"

_SCHEMA = "appended"
_GATES: Mapping[int, Target] = {32: at_least(0.8), 512: at_least(0.8)}
_PEER_TARGETS: Mapping[int, Target] = {1: at_least(2), 32: at_least(25)}
_SPARE = 100

Contender = Callable[[int, float], Awaitable[Turn]]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Appends:
    """Turns by writers and contender, and what the oracle's follower saw of ours and the raw."""

    turns: Mapping[int, Mapping[str, Turns]]
    seen: Seen

    def figures(self) -> list[Figure]:
        return [
            figure
            for writers, by_name in self.turns.items()
            for figure in _figures(writers, by_name)
        ]


@dataclass(slots=True)
class _Arena:
    """What all contenders append to; `positions` are those that the log has acknowledged."""

    log: PostgresEventLog
    sessions: Sessions
    follower: Follower
    data: Sequence[bytes]
    positions: list[int] = field(default_factory=list)

    async def ours(self, writers: int, seconds: float) -> Turn:
        made = self._writes(writers, seconds)
        return await self._followed(ours.append(self.log, made, seconds, self.positions))

    async def raw(self, writers: int, seconds: float) -> Turn:
        made = self._writes(writers, seconds)
        return await self._followed(append_raw(self.sessions, made, seconds, self.positions))

    def _writes(self, writers: int, seconds: float) -> list[list[Write]]:
        each = int(MOST_APPENDS[writers] * seconds / writers) + _SPARE
        return writes(self.data, writers, each)

    async def _followed(self, turn: Awaitable[Turn]) -> Turn:
        """Let the follower, which runs during the turn, come to its end before the next one."""
        taken = await turn
        await self.follower.comes_to(max(self.positions))
        return taken


async def measure_appends(
    database: Database, scale: Scale, data: Sequence[bytes], say: Say
) -> Appends:
    turns: dict[int, dict[str, Turns]] = {}
    async with _arena(database, data) as (arena, peers):
        contenders: dict[str, Contender] = {OURS: arena.ours, RAW: arena.raw, **peers}
        gate = {name: contenders[name] for name in (OURS, RAW)}
        for writers in scale.writers:
            say(f"appending with {writers} writers")
            turns[writers] = {name: Turns() for name in contenders}
            await arena.ours(writers, scale.seconds / 4)
            await _rounds(turns[writers], contenders, scale.rounds, writers, scale.seconds)
            if writers in _GATES:
                await _rounds(turns[writers], gate, scale.gate_rounds, writers, scale.seconds)
            await database.settle()
        seen = await arena.follower.finds(arena.positions)
    say(f"the follower saw all {seen.events} events once and in order")
    return Appends(turns, seen)


async def _rounds(
    turns: Mapping[str, Turns],
    contenders: Mapping[str, Contender],
    rounds: int,
    writers: int,
    seconds: float,
) -> None:
    """Give each contender its turn in every round, every other round in reverse order."""
    for number in range(rounds):
        names = list(contenders)
        for name in reversed(names) if number % 2 else names:
            turns[name].add(await contenders[name](writers, seconds))


@asynccontextmanager
async def _arena(
    database: Database, data: Sequence[bytes]
) -> AsyncIterator[tuple[_Arena, Mapping[str, Contender]]]:
    async with AsyncExitStack() as stack:
        log = await stack.enter_async_context(database.log(_SCHEMA))
        engine = await stack.enter_async_context(database.engine())
        sessions = Sessions(engine, load_statements(_SCHEMA), limit=LANES)
        stack.push_async_callback(sessions.close)
        follower = await stack.enter_async_context(following(database, _SCHEMA))

        def opened(name: str, *, functions: bool) -> Contender:
            its = stack.enter_context(peer.recorder(database.url, name, functions=functions))

            async def append(writers: int, seconds: float) -> Turn:
                return await asyncio.to_thread(peer.append_with_peer, its, data, writers, seconds)

            return append

        peers = {
            ORDERED: opened("ordered", functions=False),
            UNORDERED: opened("unordered", functions=True),
        }
        yield _Arena(log, sessions, follower, data), peers


def _figures(writers: int, turns: Mapping[str, Turns]) -> list[Figure]:
    title = f"append, {writers} writer{'s' if writers > 1 else ''}"
    ours = turns[OURS]
    figures = [
        Figure(
            f"{title}: {OURS} to {other}",
            ours.rate,
            "events/s",
            against=other,
            ratio=ours.ratio(turns[other]),
            target=targets.get(writers),
            spread=ours.spread,
        )
        for other, targets in ((RAW, _GATES), (ORDERED, _PEER_TARGETS), (UNORDERED, {}))
    ]
    figures += [
        Figure(f"{title}: {name}", its.rate, "events/s", spread=its.spread)
        for name, its in turns.items()
        if name != OURS
    ]
    figures += [
        Figure(f"{title}: {name}, p{percent}", its.milliseconds(percent), "ms")
        for name, its in turns.items()
        for percent in (50, 99)
    ]
    return figures
