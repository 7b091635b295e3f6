"""A service on parts that a test gives: the twin of the one on real parts."""

import asyncio
from collections.abc import Sequence
from importlib.resources import files

import grpc
import pytest
import sealing.keyring.migrate
from careline.routing.events.v1 import events_pb2 as routing_events
from careline.routing.events.v1.events_pb2 import OfferDeclined, OfferTimedOut
from conftest import Database
from eventstore.event import RecordedEvent
from eventstore.projection import ReadModel, Row
from eventstore.upcaster import Upcaster
from integration.runtime.probe.api import ProbeStub, Request
from integration.runtime.probe.compose import SERVICE
from integration.runtime.rig import AGENT, FixedToken
from runtime.channel import open_channel
from runtime.errors import reason_from
from runtime.new_id import new_id
from runtime.outgoing import Outgoing
from runtime.service import Service, serving
from runtime.service_runtime import PeerUnknown, ServiceRuntime
from runtime.settings import ServiceSettings
from runtime.testing.local_keys import LocalKeys
from runtime.testing.local_parts import local_parts, local_settings
from runtime.tokens.token import TokenIssuer
from sqlalchemy.ext.asyncio import AsyncConnection


async def test_a_service_runs_on_given_parts(database: Database) -> None:
    await sealing.keyring.migrate.prepare(database.engine)
    await sealing.keyring.migrate.migrate(database.engine)
    keys = LocalKeys()
    settings = local_settings(ServiceSettings, "routing", max_deadline_seconds=5)
    async with (
        local_parts("routing", database.engine, keys=keys) as parts,
        serving(SERVICE, settings, parts) as running,
    ):
        token = FixedToken(await TokenIssuer(keys, "token-identity").issue(AGENT, 60))
        outgoing = Outgoing(token, parts.telemetry, names_tenant=False, timeout=4)
        async with open_channel(f"127.0.0.1:{running.server.port}", outgoing) as channel:
            stub = ProbeStub(channel)
            name = str(new_id())
            answer = await stub.one(Request(stream=name))
            with pytest.raises(grpc.aio.AioRpcError) as raised:
                await stub.one(Request(stream=name), timeout=10)
        (event,) = [event async for event in running.runtime.log.read_log()]

    assert answer.head_position == event.position == 1
    assert event.stream.name == f"agents/{name}"
    assert reason_from(raised.value) == "DEADLINE_REQUIRED"


async def test_a_peer_that_no_setting_names_is_refused_by_name(database: Database) -> None:
    async def compose(runtime: ServiceRuntime[ServiceSettings]) -> None:
        runtime.channel("identity")

    service = Service("integration.runtime.probe", ServiceSettings, (), compose)
    settings = local_settings(ServiceSettings, "routing")
    async with local_parts("routing", database.engine) as parts:
        with pytest.raises(PeerUnknown, match="add identity=host:port"):
            async with serving(service, settings, parts):
                pass


async def test_a_need_that_is_no_dependency_is_refused(database: Database) -> None:
    async def compose(runtime: ServiceRuntime[ServiceSettings]) -> None:
        with pytest.raises(ValueError, match="databse"):
            runtime.serve(lambda _, __: None, object(), needs={"databse"})
        raise RuntimeError("composed")

    service = Service("integration.runtime.probe", ServiceSettings, (), compose)
    async with local_parts("routing", database.engine) as parts:
        with pytest.raises(RuntimeError, match="composed"):
            async with serving(service, local_settings(ServiceSettings, "routing"), parts):
                pass


async def test_work_beside_the_server_that_fails_ends_the_service(database: Database) -> None:
    async def broken() -> None:
        raise LookupError("work")

    async def compose(runtime: ServiceRuntime[ServiceSettings]) -> None:
        runtime.decides(*runtime.access.actions)
        runtime.run(broken)

    service = Service("integration.runtime.probe", ServiceSettings, (), compose)
    async with local_parts("routing", database.engine) as parts:
        with pytest.raises(ExceptionGroup) as raised:
            async with serving(service, local_settings(ServiceSettings, "routing"), parts):
                await asyncio.Event().wait()
    assert raised.group_contains(LookupError)


class Declines:
    """A projection of what an upcaster makes of older events, whose own type it forgot."""

    name = "declines"
    version = 1
    types = frozenset({OfferDeclined.DESCRIPTOR.full_name})
    model = ReadModel(files("integration.runtime"), ())

    async def apply(self, _connection: AsyncConnection, _events: Sequence[RecordedEvent]) -> None:
        raise AssertionError("it is refused before it runs")

    async def opened(self, _table: str, _rows: Sequence[Row]) -> Sequence[Row]:
        raise AssertionError("it is refused before it runs")


async def test_a_projection_that_forgets_older_forms_of_its_events_is_refused(
    database: Database,
) -> None:
    async def compose(runtime: ServiceRuntime[ServiceSettings]) -> None:
        runtime.project(Declines())

    declined = Upcaster(OfferTimedOut, OfferDeclined, lambda old: OfferDeclined(offer=old.offer))
    service = Service(
        "integration.runtime.probe", ServiceSettings, (routing_events,), compose, (declined,)
    )
    async with local_parts("routing", database.engine) as parts:
        with pytest.raises(ValueError, match=r"would miss .*OfferTimedOut"):
            async with serving(service, local_settings(ServiceSettings, "routing"), parts):
                pass
