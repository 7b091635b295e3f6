"""Identity on this worker's servers, one for a module's tests, which keep apart by ids."""

from collections.abc import AsyncIterator

import pytest
from conftest import CreateDatabase
from integration.identity.rig import Rig, identity_rig
from integration.runtime.vault_rig import VaultRig


@pytest.fixture(scope="module")
async def rig(
    create_database: CreateDatabase, vault: VaultRig, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Rig]:
    async with (
        create_database() as database,
        identity_rig(database, vault, tmp_path_factory.mktemp("identity")) as made,
    ):
        yield made
