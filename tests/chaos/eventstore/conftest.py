"""A server that the test may crash."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from chaos.eventstore.restartable import Restartable, restartable


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[Restartable]:
    async with restartable(tmp_path) as server:
        yield server
