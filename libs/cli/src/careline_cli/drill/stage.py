"""What a scenario works on: a platform under load, and what there is to see of it."""

import time
from dataclasses import dataclass, field
from pathlib import Path

from careline_cli.console import Say
from careline_cli.drill.copies import Copies
from careline_cli.drill.load import Load
from careline_cli.drill.platform_commands import PlatformCommands
from careline_cli.drill.service_calls import ServiceCalls
from careline_cli.drill.verdict import Promise
from careline_cli.platform.data_directory import DataDirectory


@dataclass(frozen=True, slots=True)
class Struck:
    """When the disaster struck, on the monotonic clock, and what must be there afterwards."""

    at: float
    promise: Promise


@dataclass(slots=True)
class Stage:
    """`rate` is how many appends a second are to be in flight, `public_keys` the file of the
    archive's keys, kept apart as the runbook says.

    `first_answer` is when, on the monotonic clock, the platform first took an append and gave an
    old conversation by its public calls; None until it did.
    """

    data: DataDirectory
    commands: PlatformCommands
    calls: ServiceCalls
    copies: Copies
    load: Load
    rate: float
    public_keys: Path
    say: Say
    first_answer: float | None = field(default=None)

    @property
    def supervisor(self) -> int:
        return self.data.addresses().supervisor_pid

    async def full_load(self) -> None:
        """Return when the last second had the asked rate: what strikes next strikes under load."""
        await self.load.until_full(self.rate, self.say)

    async def answers(self) -> None:
        """Have an append by a public call acknowledged and an old conversation read, once."""
        if self.first_answer is None:
            with self.commands.phase("first append and read"):
                await self.calls.append_and_read()
            self.first_answer = time.monotonic()
