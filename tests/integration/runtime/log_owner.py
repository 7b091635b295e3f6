"""Serves a log as its owner does, for services that fill gaps from it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from careline.log.v1.log_service_pb2_grpc import add_LogServiceServicer_to_server
from eventstore.event_log import EventLog
from integration.runtime.rig import running_rig
from runtime.log_service import LogApi
from runtime.testing.local_keys import LocalKeys
from runtime.vault.transit import TransitSigner

_STREAM_SECONDS = 3600
"""What services ask for at most."""


@asynccontextmanager
async def serving_log(log: EventLog, keys: LocalKeys | TransitSigner) -> AsyncIterator[int]:
    """Serve its LogService to bearers of tokens that `keys` signed; gives the port."""
    servicers = [(add_LogServiceServicer_to_server, LogApi(log))]
    async with running_rig(
        servicers=servicers, keys=keys, max_stream_seconds=_STREAM_SECONDS
    ) as rig:
        yield rig.server.port
