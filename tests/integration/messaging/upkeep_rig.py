"""Verifying and rebuilding a stream, with the rights that the command has and no others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

from integration.messaging.consumer_rig import CONSUMPTION
from integration.messaging.log_rig import LogRig
from integration.messaging.nats_rig import NatsRig
from messaging import stream_upkeep
from messaging.names import Consumption
from messaging.permissions import rebuilder_permissions, verifier_permissions
from messaging.stream_check import StreamCheck
from messaging.stream_upkeep import Upkeep
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

USER = "upkeep"


@asynccontextmanager
async def upkeep(
    nats_rig: NatsRig,
    log_rig: LogRig,
    *,
    rebuilds: bool,
    consumptions: tuple[Consumption, ...] = (CONSUMPTION,),
) -> AsyncIterator[Upkeep]:
    reading = Consumption("streams", log_rig.schema, f"run_{uuid4().hex[:8]}")
    permissions = (
        rebuilder_permissions(USER, reading, consumptions)
        if rebuilds
        else verifier_permissions(USER, reading)
    )
    credentials = nats_rig.operator.platform.credentials(USER, permissions)
    async with (
        await nats_rig.connect(credentials) as client,
        engine_of_owner(log_rig) as owner,
    ):
        yield Upkeep(
            log_rig.log,
            log_rig.engine,
            log_rig.schema,
            client,
            reading,
            consumptions,
            owner=owner if rebuilds else None,
        )


@asynccontextmanager
async def engine_of_owner(log_rig: LogRig) -> AsyncIterator[AsyncEngine]:
    """Make an engine with the rights that the schema's owner has."""
    owner = await owner_of(log_rig)
    engine = create_async_engine(
        log_rig.admin.url, connect_args={"server_settings": {"role": owner}}
    )
    try:
        yield engine
    finally:
        await engine.dispose()


async def owner_of(log_rig: LogRig) -> str:
    """Give the role that owns the schema's tables."""
    query = text("select tableowner from pg_tables where schemaname = :s and tablename = 'event'")
    async with log_rig.admin.connect() as connection:
        return str(await connection.scalar(query, {"s": log_rig.schema}))


async def verified(nats_rig: NatsRig, log_rig: LogRig) -> StreamCheck:
    async with upkeep(nats_rig, log_rig, rebuilds=False) as job:
        return await stream_upkeep.verify(job, _unseen)


async def rebuilt(
    nats_rig: NatsRig, log_rig: LogRig, consumptions: tuple[Consumption, ...] = (CONSUMPTION,)
) -> StreamCheck:
    """Rebuild what a verification finds at fault."""
    async with upkeep(nats_rig, log_rig, rebuilds=True, consumptions=consumptions) as job:
        found = await stream_upkeep.verify(job, _unseen)
        assert not found.ok
        return await stream_upkeep.rebuild(job, found, _unseen)


def _unseen(_step: str, _done: int, _total: int) -> None:
    """Nobody watches a test's progress."""
