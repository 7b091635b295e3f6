"""What a disaster and its recovery look like to the rehearsal."""

from typing import Protocol

from careline_cli.drill.stage import Stage, Struck


class Scenario(Protocol):
    """`strike` happens under load; `recover` follows the runbook by the product's own commands."""

    name: str
    summary: str

    async def strike(self, stage: Stage) -> Struck: ...

    async def recover(self, stage: Stage, struck: Struck) -> None: ...
