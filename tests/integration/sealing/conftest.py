"""A migrated keyring on this worker's servers."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest
from conftest import CreateDatabase, OpenBao
from integration.sealing.rig import Rig, keyring_rig
from integration.sealing.transit import mount_transit


@pytest.fixture(scope="module")
async def rig(create_database: CreateDatabase, openbao: OpenBao) -> AsyncIterator[Rig]:
    """Give a keyring of the module's own; tests keep apart by tenant."""
    mount_transit(openbao.client())
    async with (
        create_database() as database,
        keyring_rig(database.engine, database.url, openbao.client) as made,
    ):
        yield made


@pytest.fixture
def tenant() -> str:
    """Name a tenant that no other test has."""
    return f"t{uuid4().hex[:20]}"
