"""Routing on this worker's servers, one process for a module's tests, which keep apart by queue."""

from collections.abc import AsyncIterator

import pytest
from conftest import CreateDatabase
from integration.routing.rig import Ground, Process, ground_on, process_on
from integration.runtime.vault_rig import VaultRig


@pytest.fixture(scope="module")
async def ground(
    create_database: CreateDatabase, vault: VaultRig, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ground]:
    async with (
        create_database() as database,
        ground_on(database, vault, tmp_path_factory.mktemp("routing")) as made,
    ):
        yield made


@pytest.fixture(scope="module")
async def process(ground: Ground) -> AsyncIterator[Process]:
    async with process_on(ground, offer_heartbeat_seconds=0.2) as running:
        yield running
