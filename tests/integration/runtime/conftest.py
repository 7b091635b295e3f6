"""A probe service behind every interceptor, and workloads of a real OpenBao."""

from collections.abc import AsyncIterator

import pytest
from conftest import OpenBao
from integration.runtime.rig import Rig, running_rig
from integration.runtime.vault_rig import VaultRig


@pytest.fixture
async def rig() -> AsyncIterator[Rig]:
    async with running_rig() as running:
        yield running


@pytest.fixture(scope="session")
def vault(openbao: OpenBao, tmp_path_factory: pytest.TempPathFactory) -> VaultRig:
    rig = VaultRig(openbao.url, openbao.client(), tmp_path_factory.mktemp("vault"))
    rig.mount()
    return rig
