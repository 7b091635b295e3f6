"""The oracle's processes: spawned, killed at random, replaced, ended."""

import asyncio
import multiprocessing
import random
import signal
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.process import BaseProcess

from eventstore.testing.oracle.assignment import Assignment
from eventstore.testing.oracle.follower import follow, follow_unfenced
from eventstore.testing.oracle.writer import write

JOIN_SECONDS = 30.0


class Processes:
    """Writers and followers; `died` counts those that ended though nobody killed them."""

    def __init__(self, assignment: Assignment, draw: random.Random) -> None:
        self._spawn = multiprocessing.get_context("spawn")
        self._assignment = assignment
        self._draw = draw
        self._writers: list[BaseProcess] = []
        self._followers: list[BaseProcess] = []
        self.died: Counter[str] = Counter()

    def start(self, writers: int) -> None:
        self._followers = [self._new(follow, "follower"), self._new(follow_unfenced, "unfenced")]
        self._writers = [self._new(write, "writer") for _ in range(writers)]

    def kill_a_writer(self) -> None:
        """SIGKILL one and put another in its place."""
        place = self._draw.randrange(len(self._writers))
        writer = self._writers[place]
        writer.kill()
        writer.join(JOIN_SECONDS)
        self._note_death(writer, "writer")
        self._writers[place] = self._new(write, "writer")

    async def end_writers(self) -> None:
        """Announce the end, and wait for the writers."""
        self._assignment.end()
        for writer in self._writers:
            await asyncio.to_thread(writer.join, JOIN_SECONDS)
            if writer.exitcode is None:
                self.died["a writer did not end"] += 1
                writer.kill()
                writer.join(JOIN_SECONDS)
            self._note_death(writer, "writer")

    def end(self) -> None:
        """Kill whoever is left."""
        for follower in self._followers:
            self._note_death(follower, "follower")
        for process in (*self._followers, *self._writers):
            process.kill()
            process.join(JOIN_SECONDS)
            process.close()

    def _new(self, target: Callable[[Assignment], None], name: str) -> BaseProcess:
        seed = self._draw.getrandbits(32)
        assignment = replace(self._assignment, name=f"oracle {name}", seed=seed)
        process = self._spawn.Process(target=target, args=(assignment,), name=name, daemon=True)
        process.start()
        return process

    def _note_death(self, process: BaseProcess, name: str) -> None:
        if process.exitcode not in (None, 0, -signal.SIGKILL):
            self.died[f"a {name} died"] += 1
