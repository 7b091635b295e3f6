"""How far a service's relay is behind, and whether something holds it up, is exported."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from conftest import Database, Nats
from embedded import PostgresServer
from integration.runtime.platform_rig import Platform, provisioned
from integration.runtime.rig import eventually
from integration.runtime.vault_rig import VaultRig
from messaging.cancellation import cancel_until_ended
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from runtime.service_parts import real_parts
from runtime.telemetry.telemetry import collected_in_process

SERVICE = "routing"


@pytest.fixture
async def platform(
    postgres: PostgresServer, database: Database, vault: VaultRig, nats: Nats
) -> AsyncIterator[Platform]:
    async with provisioned(postgres, database, vault, nats) as platform:
        yield platform


def relay_gauges(reader: InMemoryMetricReader) -> dict[str, float]:
    data = reader.get_metrics_data()
    return {
        metric.name: point.value
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
        if metric.name.startswith("careline.relay.") and isinstance(point, NumberDataPoint)
    }


async def test_the_relays_lag_and_what_holds_it_up_are_exported(platform: Platform) -> None:
    reader = InMemoryMetricReader()
    async with (
        collected_in_process(SERVICE, InMemorySpanExporter(), reader) as telemetry,
        real_parts(platform.settings(SERVICE), telemetry) as parts,
    ):
        assert parts.messaging is not None
        assert relay_gauges(reader) == {}
        running = asyncio.create_task(parts.messaging.run())

        async def leads() -> bool:
            return relay_gauges(reader) == {
                "careline.relay.lag": 0,
                "careline.relay.lag.duration": 0,
                "careline.relay.stuck": 0,
            }

        try:
            await eventually(leads, within=30)
        finally:
            await cancel_until_ended(running)
