"""Starts and kills the processes of `child.py`."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from chaos.messaging.child import ChildSettings

_SCRIPT = Path(__file__).with_name("child.py")
_TESTS = _SCRIPT.parents[2]


@asynccontextmanager
async def child(settings: ChildSettings) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a child; it is killed at the end of the context, if it still lives."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        _SCRIPT,
        stdin=asyncio.subprocess.PIPE,
        env={"PYTHONPATH": str(_TESTS), "PATH": os.defpath},
    )
    if process.stdin is None:
        raise RuntimeError("a child without standard input")
    process.stdin.write(settings.to_json())
    process.stdin.close()
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
