"""Federation on real servers, one platform for a module's tests, which keep apart by partner."""

from collections.abc import AsyncIterator

import pytest
from conftest import CreateDatabase, OpenBao
from integration.federation.partner import Partner, new_partner
from integration.federation.platform_rig import PlatformRig, platform_rig


@pytest.fixture(scope="module")
async def rig(
    create_database: CreateDatabase, openbao: OpenBao, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[PlatformRig]:
    async with (
        create_database() as database,
        platform_rig(database, openbao, tmp_path_factory.mktemp("federation")) as made,
    ):
        yield made


@pytest.fixture
async def partner(rig: PlatformRig) -> Partner:
    """A partner of the tenant demo with a contract on all that a conversation says."""
    return await new_partner(rig)
