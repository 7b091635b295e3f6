"""What goes wrong in a drill is a failed step with one line, and nothing of it lives on."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from careline_cli.drill import platform_commands
from careline_cli.drill.platform_commands import PlatformCommands, StepFailed, within


async def test_a_step_that_does_not_end_in_time_is_named() -> None:
    with pytest.raises(StepFailed, match="archiving: not done after 0"):
        async with within(0, "archiving"):
            await asyncio.Event().wait()


async def test_a_command_that_does_not_end_in_time_is_ended_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform_commands, "_SECONDS", 0)
    started: list[asyncio.subprocess.Process] = []
    start = asyncio.create_subprocess_exec

    async def kept(
        *program: str,
        **options: Any,  # noqa: ANN401 - as it is called
    ) -> asyncio.subprocess.Process:
        started.append(await start(*program, **options))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", kept)

    with pytest.raises(StepFailed, match="careline status: not done"):
        await PlatformCommands(tmp_path, lambda _: None).run("status")

    (process,) = started
    assert process.returncode is not None
