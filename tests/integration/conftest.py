"""What the suites of several services run on."""

import pytest
from conftest import OpenBao
from integration.runtime.vault_rig import VaultRig


@pytest.fixture(scope="session")
def vault(openbao: OpenBao, tmp_path_factory: pytest.TempPathFactory) -> VaultRig:
    rig = VaultRig(openbao.url, openbao.client(), tmp_path_factory.mktemp("vault"))
    rig.mount()
    return rig
