"""The service on this worker's servers."""

from collections.abc import AsyncIterator

import pytest
from conftest import CreateDatabase, Nats
from integration.patient_context.rig import Ground, Process, ground_on, process_on
from integration.runtime.vault_rig import VaultRig


@pytest.fixture(scope="module")
async def ground(
    create_database: CreateDatabase, vault: VaultRig, nats: Nats
) -> AsyncIterator[Ground]:
    """A database of the module's own."""
    async with create_database() as database, ground_on(database, vault, nats) as made:
        yield made


@pytest.fixture(scope="module")
async def process(ground: Ground) -> AsyncIterator[Process]:
    """A process of the service, for all tests of the module."""
    async with process_on(ground, unfinished_erasure_seconds=0.2) as running:
        yield running
