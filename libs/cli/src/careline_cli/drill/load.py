"""The writers: spawned, waited for until they are at full rate, ended after the kill."""

import asyncio
import multiprocessing
import time
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from careline_cli.command_error import CommandError
from careline_cli.console import Say
from careline_cli.drill import journals, stories
from careline_cli.drill.journals import AcknowledgementTail, Journals
from careline_cli.drill.own_log import CONVERSATIONS, PATIENT_CONTEXT, admitted
from careline_cli.drill.writer import Assignment, write
from careline_cli.platform.data_directory import DataDirectory

MARGIN: Final = 1.25
"""How much more is asked of the writers than is to be in flight: no second may fall below it."""
_REPLICATED_SHARE: Final = 0.04
_CONVERSATIONS_WRITERS: Final = 2
_CALLERS: Final = 48
_FULL_RATE_SECONDS: Final = 90.0
_LOOK_SECONDS: Final = 0.1
_FULL: Final = 1.05
_JOIN_SECONDS: Final = 45.0


class LoadMissing(CommandError):
    """The writers did not come up to the rate."""


@dataclass(frozen=True, slots=True)
class Load:
    """Writers that run; `patient` is the one that some of the conversations are linked to."""

    folder: Path
    patient: str
    assignments: tuple[Assignment, ...]
    processes: tuple[BaseProcess, ...]
    acknowledgements: AcknowledgementTail

    def journals(self) -> Journals:
        """Read what the writers have noted so far."""
        return journals.read(self.folder)

    async def until_full(self, rate: float, say: Say) -> None:
        """Return when the last second had the rate and a little more; raises LoadMissing."""
        deadline = time.monotonic() + _FULL_RATE_SECONDS
        while (reached := self.acknowledgements.rate()) < rate * _FULL:
            if time.monotonic() > deadline:
                refused = sorted(set(self.journals().refused))
                raise LoadMissing(
                    f"{reached:.0f} of {rate:g} appends/s were reached; refusals: {refused}; ask "
                    "for less with --rate, or leave the machine to the drill"
                )
            await asyncio.sleep(_LOOK_SECONDS)
        say(f"{reached:.0f} appends/s are acknowledged")

    def announce_end(self) -> None:
        """Have the writers begin nothing more."""
        self.assignments[0].end()

    async def end(self) -> None:
        """Announce the end and wait; who waits for a server that is gone is ended."""
        self.announce_end()
        for process in self.processes:
            await asyncio.to_thread(process.join, _JOIN_SECONDS)
            if process.exitcode is None:
                process.kill()
                await asyncio.to_thread(process.join, _JOIN_SECONDS)


def start_load(data: DataDirectory, folder: Path, rate: float) -> Load:
    """Spawn writers that together append a quarter more than `rate`, each as its service."""
    folder.mkdir(mode=0o700, parents=True)
    patient = stories.new_patient()
    asked = rate * MARGIN
    shares = [(PATIENT_CONTEXT, asked * _REPLICATED_SHARE)]
    local = asked * (1 - _REPLICATED_SHARE) / _CONVERSATIONS_WRITERS
    shares += [(CONVERSATIONS, local)] * _CONVERSATIONS_WRITERS
    assignments = tuple(
        Assignment(
            admitted(data, service, folder / f"rights-{number}"), folder, share, _CALLERS, patient
        )
        for number, (service, share) in enumerate(shares)
    )
    spawn = multiprocessing.get_context("spawn")
    processes = tuple(
        spawn.Process(target=write, args=(one,), name=f"drill {one.access.service}", daemon=True)
        for one in assignments
    )
    for process in processes:
        process.start()
    return Load(folder, patient, assignments, processes, AcknowledgementTail(folder))
