"""Fixtures of the messaging tests: NATS that may be killed, services' logs, a platform of two."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from conftest import Database
from integration.messaging.consumer_rig import CONSUMPTION, Platform, consuming_service
from integration.messaging.log_rig import LogRig, service_log
from integration.messaging.nats_rig import NatsRig
from integration.messaging.relay_rig import RelayRig, relaying
from messaging.connect import NatsClient


@pytest.fixture
async def nats_rig(tmp_path: Path) -> AsyncIterator[NatsRig]:
    """A running NATS server of this test's own."""
    rig = NatsRig(tmp_path)
    await rig.start()
    yield rig
    await rig.stop()


@pytest.fixture
async def log_rig(database: Database) -> AsyncIterator[LogRig]:
    """The log of the service `conversations`, in a database of this test's own."""
    async with service_log(database.engine, "conversations") as rig:
        yield rig


@pytest.fixture
async def platform(log_rig: LogRig) -> AsyncIterator[Platform]:
    """The service `audit` beside it, which consumes."""
    async with consuming_service(log_rig.admin) as service:
        yield Platform(log_rig, service)


@pytest.fixture
async def administrator(nats_rig: NatsRig) -> AsyncIterator[NatsClient]:
    async with await nats_rig.connect(nats_rig.administrator()) as connected:
        yield connected


@pytest.fixture
async def source_client(nats_rig: NatsRig) -> AsyncIterator[NatsClient]:
    """A connection of the service `conversations`."""
    async with await nats_rig.connect(nats_rig.service("conversations")) as connected:
        yield connected


@pytest.fixture
async def audit_client(nats_rig: NatsRig) -> AsyncIterator[NatsClient]:
    """A connection of the service `audit`."""
    async with await nats_rig.connect(nats_rig.service("audit", [CONSUMPTION])) as connected:
        yield connected


@pytest.fixture
async def relay(
    nats_rig: NatsRig, platform: Platform, source_client: NatsClient
) -> AsyncIterator[RelayRig]:
    """The source's relay, running, on a provisioned server."""
    await nats_rig.provision(["conversations"], [CONSUMPTION])
    async with relaying(platform.source, source_client) as rig:
        yield rig
