"""Runs the `careline` command itself, and keeps how long each step took."""

import asyncio
import os
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

from careline_cli.command_error import CommandError
from careline_cli.console import Say
from careline_cli.platform.data_directory import BACKUP_DIRECTORY

_SECONDS: Final = 900.0
_COPYING: Final = "restoring the log of"
_SHOWN_CHARACTERS: Final = 500


class StepFailed(CommandError):
    """A step of a drill failed; the text has the end of what it said."""


@asynccontextmanager
async def within(seconds: float, step: str) -> AsyncIterator[None]:
    """Bound a step of a drill; raises StepFailed when it takes longer."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise StepFailed(f"{step}: not done after {seconds:g} s") from None


class PlatformCommands:
    """The command on one data directory; `phases` are seconds by step, in order."""

    def __init__(self, data_dir: Path, say: Say) -> None:
        self._data_dir = data_dir
        self._say = say
        self.phases: defaultdict[str, float] = defaultdict(float)

    async def run(self, *arguments: str) -> str:
        """Run to its end and give its standard output; raises StepFailed with what it said."""
        code, out, error = await self.attempt(*arguments)
        if code:
            raise StepFailed(f"careline {' '.join(arguments[:2])}: {error[-_SHOWN_CHARACTERS:]}")
        return out

    async def attempt(self, *arguments: str) -> tuple[int, str, str]:
        """Run to its end, whatever its status; gives that, standard output and standard error.

        Raises StepFailed when it does not end in time.
        """
        program = (sys.executable, "-m", "careline_cli", "--data-dir", str(self._data_dir))
        process = await asyncio.create_subprocess_exec(
            *program,
            *arguments,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=_environment(),
        )
        began = time.monotonic()
        name = " ".join(one for one in arguments[:2] if not one.startswith("-"))
        try:
            async with within(_SECONDS, f"careline {name}"), asyncio.TaskGroup() as group:
                out = group.create_task(_all_of(process.stdout))
                error = group.create_task(self._follow(process.stderr))
                group.create_task(process.wait())
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        lines, copying_since = error.result()
        ended = time.monotonic()
        if copying_since is not None:
            self.phases[f"{name}: copying"] += ended - copying_since
            ended = copying_since
        self.phases[name] += ended - began
        return process.returncode or 0, out.result(), "\n".join(lines)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Keep how long a step takes that is none of the command's."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.phases[name] += time.monotonic() - began

    async def _follow(self, stream: asyncio.StreamReader | None) -> tuple[list[str], float | None]:
        """Show progress; gives all lines, and when copying logs began."""
        lines, copying_since = [], None
        if stream is not None:
            async for raw in stream:
                line = raw.decode(errors="replace").rstrip().removeprefix("· ")
                if _COPYING in line:
                    copying_since = copying_since or time.monotonic()
                if line:  # a progress bar that was wiped away leaves an empty one
                    self._say(line)
                    lines.append(line)
        return lines, copying_since


def _environment() -> dict[str, str]:
    """Give this process's, without where the backups of a real platform are."""
    return {name: value for name, value in os.environ.items() if name != BACKUP_DIRECTORY}


async def _all_of(stream: asyncio.StreamReader | None) -> str:
    return (await stream.read()).decode() if stream is not None else ""
