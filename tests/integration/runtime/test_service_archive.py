"""Services archive their logs by themselves: one process each, signed in Vault, lag exported."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from conftest import Database, Nats
from embedded import PostgresServer
from eventstore.archive.archiver import Archiver
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.overview import overview
from eventstore.archive.signing import signing_key
from eventstore.archive.verify import verify
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.testing.example_events import new_events, new_stream
from integration.runtime.platform_rig import Platform, provisioned
from integration.runtime.rig import eventually
from integration.runtime.vault_rig import VaultRig
from messaging.cancellation import cancel_until_ended
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from runtime.service_archive import ServiceArchive
from runtime.service_parts import ServiceParts, real_parts
from runtime.telemetry.telemetry import collected_in_process
from runtime.vault.transit import TransitSigner
from unit.eventstore.archive_rig import CLOSE_AT_ONCE

SERVICE = "routing"
SECONDS = 30.0


@pytest.fixture
async def platform(
    postgres: PostgresServer, database: Database, vault: VaultRig, nats: Nats
) -> AsyncIterator[Platform]:
    async with provisioned(postgres, database, vault, nats) as platform:
        vault.root.secrets.transit.create_key(signing_key(SERVICE), key_type="ed25519")
        yield platform


@asynccontextmanager
async def parts_of(
    platform: Platform, *readers: InMemoryMetricReader, **changes: str
) -> AsyncIterator[ServiceParts]:
    settings = platform.settings(SERVICE, **changes)
    async with (
        collected_in_process(SERVICE, InMemorySpanExporter(), *readers) as telemetry,
        real_parts(settings, telemetry) as parts,
    ):
        yield parts


@asynccontextmanager
async def in_background(*archives: ServiceArchive) -> AsyncIterator[list[asyncio.Task[None]]]:
    running = [asyncio.create_task(one.run()) for one in archives]
    try:
        async with asyncio.timeout(SECONDS):
            yield running
    finally:
        await cancel_until_ended(*running)


async def holds(condition: Callable[[], bool]) -> None:
    async def asked() -> bool:
        return condition()

    await eventually(asked)


async def append(parts: ServiceParts, count: int) -> int:
    write = Write(new_stream(), ExpectedRevision.NO_STREAM, new_events(count))
    return (await parts.log.append(write)).position


def gauges(reader: InMemoryMetricReader) -> dict[str, float]:
    data = reader.get_metrics_data()
    return {
        metric.name: point.value
        for resource in (data.resource_metrics if data else ())
        for scope in resource.scope_metrics
        for metric in scope.metrics
        for point in metric.data.data_points
        if metric.name.startswith("careline.archive.") and isinstance(point, NumberDataPoint)
    }


async def test_a_service_archives_its_log_where_its_settings_say(
    platform: Platform, tmp_path: Path
) -> None:
    url = tmp_path.as_uri()
    reader = InMemoryMetricReader()
    async with parts_of(platform, reader, ARCHIVE_URL=url) as parts:
        position = await append(parts, 3)
        works = [asyncio.create_task(work()) for work in parts.background]

        async def archived() -> bool:
            found = await overview(ArchiveStore(url), SERVICE)
            return found is not None and found.position == position

        await eventually(archived)
        await holds(lambda: gauges(reader).get("careline.archive.lag") == 0)
        found = gauges(reader)
        await cancel_until_ended(*works)

    assert found["careline.archive.stuck"] == 0
    assert found["careline.archive.lag.duration"] == 0


async def test_a_service_without_that_setting_archives_nothing(platform: Platform) -> None:
    async with parts_of(platform) as parts:
        assert not any("Archive" in work.__qualname__ for work in parts.background)


async def test_segments_are_signed_in_vault_and_verified_by_its_public_key(
    platform: Platform, tmp_path: Path
) -> None:
    store = ArchiveStore(tmp_path.as_uri())
    async with parts_of(platform) as parts:
        assert parts.vault is not None
        signer = TransitSigner(parts.vault)
        archiver = Archiver(parts.log, SERVICE, store, signer, limits=CLOSE_AT_ONCE)
        running = asyncio.create_task(archiver.run())
        async with asyncio.timeout(SECONDS):
            await archiver.wait_for(await append(parts, 3))
        await cancel_until_ended(running)
        verified = await verify(store, SERVICE, await signer.public_keys(signing_key(SERVICE)))

    assert (verified.segments, verified.signed_position) == (1, verified.position)


async def test_a_service_that_stops_leaves_nothing_of_its_log_behind(
    platform: Platform, tmp_path: Path
) -> None:
    url = tmp_path.as_uri()
    async with parts_of(platform) as parts:
        assert parts.vault is not None
        archive = ServiceArchive(SERVICE, url, parts.log, parts.queries, TransitSigner(parts.vault))
        async with in_background(archive) as (running,):
            first = await append(parts, 1)
            await holds(lambda: position(archive) == first)
            last = await append(parts, 1)
            await cancel_until_ended(running)
        found = await overview(ArchiveStore(url), SERVICE)

    assert found is not None
    assert found.position == last


async def test_of_two_processes_one_archives_and_the_other_takes_over(
    platform: Platform, tmp_path: Path
) -> None:
    url = tmp_path.as_uri()
    async with parts_of(platform) as parts:
        assert parts.vault is not None
        signer = TransitSigner(parts.vault)
        one, two = (
            ServiceArchive(SERVICE, url, parts.log, parts.queries, signer) for _ in range(2)
        )
        async with in_background(one) as (first,):
            await holds(lambda: one.status() is not None)
            async with in_background(two):
                before = await append(parts, 1)
                await holds(lambda: position(one) == before)
                waiting = two.status()
                await cancel_until_ended(first)
                after = await append(parts, 1)
                await holds(lambda: position(two) == after)

    assert waiting is None
    assert one.status() is None


def position(archive: ServiceArchive) -> int | None:
    status = archive.status()
    return status.position if status else None
