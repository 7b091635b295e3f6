"""The service on this worker's servers."""

from collections.abc import AsyncIterator

import pytest
from conftest import CreateDatabase
from integration.conversations.rig import Ground, Process, ground_on, process_on
from integration.runtime.vault_rig import VaultRig


@pytest.fixture(scope="module")
async def ground(create_database: CreateDatabase, vault: VaultRig) -> AsyncIterator[Ground]:
    """A database of the module's own; tests keep apart by conversation."""
    async with create_database() as database, ground_on(database, vault) as made:
        yield made


@pytest.fixture(scope="module")
async def process(ground: Ground) -> AsyncIterator[Process]:
    """A process of the service, for all tests of the module."""
    async with process_on(
        ground, watch_heartbeat_seconds=0.5, expiry_interval_seconds=0.2
    ) as running:
        yield running
