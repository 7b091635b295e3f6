"""A drill looks at streams that are not there, and at a NATS that has gone."""

import asyncio
from pathlib import Path

import pytest
from careline_cli.drill.copies import Copies
from careline_cli.drill.platform_commands import StepFailed
from conftest import Nats
from messaging.connect import connect


async def test_streams_that_cannot_be_read_fail_the_step_and_end_the_watch(
    nats: Nats, tmp_path: Path
) -> None:
    credentials = nats.credentials.read_text()
    async with await connect([nats.url], user="drill", creds=credentials) as client:
        copies = Copies({"no_such_log": client}, tmp_path)
        await fails(copies)
    await fails(copies)


async def fails(copies: Copies) -> None:
    with pytest.raises(StepFailed, match="the streams cannot be read"):
        await copies.streamed()
    async with asyncio.timeout(60):
        await copies.watch()
    assert copies.stream_looks == []
