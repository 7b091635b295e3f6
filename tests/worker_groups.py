"""Which tests share a pytest-xdist worker, and with it the platform that they run on."""

from pathlib import PurePosixPath

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling


class WorkerGroups(LoadScopeScheduling):  # type: ignore[misc]
    """Keeps the end-to-end tests of one folder on one worker; any other test goes to any.

    The mark `xdist_group` would say so test by test, but does nothing under pytest 9.2, whose node
    ids pytest-xdist 3.8 cannot extend.
    """

    def _split_scope(self, nodeid: str) -> str:
        folder = PurePosixPath(nodeid.partition("::")[0]).parent
        return str(folder) if folder.parts[:2] == ("tests", "e2e") else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> WorkerGroups | None:
    return WorkerGroups(config, log) if config.getvalue("dist") == "loadgroup" else None
