"""LogService over a real server: pages, tenants, following, and what it refuses."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import grpc
import pytest
from careline.log.v1 import log_service_pb2 as api
from careline.log.v1 import log_service_pb2_grpc as api_grpc
from careline.log.v1.as_of_pb2 import AsOf
from eventstore.event import NewEvent
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.memory import MemoryEventLog
from eventstore.stream_id import StreamId
from google.protobuf.timestamp_pb2 import Timestamp
from integration.runtime.rig import AGENT, Rig, running_rig
from runtime.errors import reason_from
from runtime.log_service import LogApi
from runtime.outgoing import CallFor
from runtime.principal import Principal, PrincipalKind, service_principal
from runtime.request_context import RequestContext

OPERATOR = Principal(PrincipalKind.OPERATOR, "operators/local", frozenset({"demo"}))


@dataclass
class Served:
    """A log, and stubs of those who read it."""

    rig: Rig
    log: MemoryEventLog
    record: list[tuple[str, int, str]]

    async def append(self, tenant: str, name: str, data: bytes = b"x") -> int:
        event = NewEvent(uuid4(), "careline.probe.v1.Happened", data, b"", bytes(32))
        appended = await self.log.append(
            Write(StreamId(tenant, name), ExpectedRevision.ANY, (event,))
        )
        return appended.position

    async def as_service(self, tenant: str = "") -> api_grpc.LogServiceStub:
        token = await self.rig.token(service_principal("audit"), "token-audit")
        return api_grpc.LogServiceStub(await self.rig.channel(token, CallFor(tenant=tenant)))

    async def as_operator(self, tenant: str = "") -> api_grpc.LogServiceStub:
        token = await self.rig.token(OPERATOR, "token-operator")
        return api_grpc.LogServiceStub(await self.rig.channel(token, CallFor(tenant=tenant)))

    async def log_read(self, request: RequestContext, after_position: int, stream: str) -> None:
        assert request.principal is not None
        self.record.append((request.principal.name, after_position, stream))


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    log = MemoryEventLog()
    record = Served(None, log, [])  # type: ignore[arg-type]  # filled in below
    servicer = LogApi(log, record, heartbeat=0.1)
    async with running_rig(
        servicers=((api_grpc.add_LogServiceServicer_to_server, servicer),)
    ) as rig:
        record.rig = rig
        yield record


async def _all(
    call: grpc.aio.UnaryStreamCall[api.ReadLogRequest, api.ReadLogResponse],
) -> list[api.ReadLogResponse]:
    return [page async for page in call]


def _positions(pages: list[api.ReadLogResponse]) -> list[int]:
    return [event.position for page in pages for event in page.events]


async def test_a_service_reads_the_log_of_all_tenants_as_stored(served: Served) -> None:
    await served.append("demo", "conversations/1", b"sealed one")
    await served.append("other", "conversations/1", b"sealed two")

    (page,) = await _all((await served.as_service()).ReadLog(api.ReadLogRequest()))

    first, second = page.events
    assert (first.tenant, first.stream, first.revision) == ("demo", "conversations/1", 0)
    assert (second.tenant, second.data) == ("other", b"sealed two")
    assert (second.position, second.previous_position) == (2, 1)
    assert UUID(first.event_id).version == 4
    assert (page.epoch, page.head_position) == (1, 2)


async def test_an_empty_log_says_how_far_it_is_complete(served: Served) -> None:
    (page,) = await _all((await served.as_service()).ReadLog(api.ReadLogRequest()))
    head = await (await served.as_service()).GetHead(api.GetHeadRequest())

    assert (list(page.events), page.head_position) == ([], 0)
    assert (head.epoch, head.position) == (1, 0)


async def test_a_service_that_names_a_tenant_sees_that_one_alone(served: Served) -> None:
    for tenant in ("demo", "other", "demo"):
        await served.append(tenant, "conversations/1")

    pages = await _all((await served.as_service("demo")).ReadLog(api.ReadLogRequest()))

    assert _positions(pages) == [1, 3]
    assert [event.previous_position for event in pages[0].events] == [0, 2]
    assert pages[-1].head_position == 3


async def test_an_operator_sees_his_own_tenant_and_is_remembered(served: Served) -> None:
    await served.append("other", "conversations/1")
    await served.append("demo", "conversations/1")

    pages = await _all((await served.as_operator()).ReadLog(api.ReadLogRequest()))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await _all((await served.as_operator("other")).ReadLog(api.ReadLogRequest()))

    assert _positions(pages) == [2]
    assert reason_from(raised.value) == "DENIED_OR_ABSENT"
    assert served.record == [("operators/local", 0, "")]


async def test_agents_do_not_read_logs(served: Served) -> None:
    channel = await served.rig.channel(await served.rig.token(AGENT))
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await _all(api_grpc.LogServiceStub(channel).ReadLog(api.ReadLogRequest()))

    assert reason_from(raised.value) == "DENIED_OR_ABSENT"


async def test_a_long_log_comes_in_pages_that_can_be_resumed_after_any(served: Served) -> None:
    for number in range(1203):
        await served.append("demo", f"conversations/{number % 7}")
    stub = await served.as_service()

    pages = await _all(stub.ReadLog(api.ReadLogRequest()))
    resumed = await _all(stub.ReadLog(api.ReadLogRequest(after_position=pages[1].head_position)))

    assert [len(page.events) for page in pages] == [500, 500, 203]
    assert _positions(pages) == list(range(1, 1204))
    assert [page.head_position for page in pages] == [500, 1000, 1203]
    assert _positions(resumed) == list(range(1001, 1204))


async def test_pages_are_bounded_in_bytes(served: Served) -> None:
    for _ in range(5):
        await served.append("demo", "conversations/1", b"x" * 300_000)

    pages = await _all((await served.as_service()).ReadLog(api.ReadLogRequest()))

    assert [len(page.events) for page in pages] == [2, 2, 1]


async def test_a_part_of_the_log_or_one_stream_can_be_read(served: Served) -> None:
    for number in range(6):
        await served.append("demo", f"conversations/{number % 2}")
    stub = await served.as_service("demo")

    part = await _all(stub.ReadLog(api.ReadLogRequest(after_position=1, until_position=4)))
    stream = await _all(
        stub.ReadLog(api.ReadLogRequest(stream="conversations/1", after_position=2))
    )
    beyond = await _all(stub.ReadLog(api.ReadLogRequest(after_position=50)))

    assert _positions(part) == [2, 3, 4]
    assert part[-1].head_position == 4
    assert _positions(stream) == [4, 6]
    assert _positions(beyond) == []


async def test_a_stream_is_read_as_it_was_at_a_moment(served: Served) -> None:
    for number in range(6):
        await served.append("demo", f"conversations/{number % 2}")
    stub = await served.as_service("demo")
    time = (await anext(served.log.read_log(after=3, until=4))).recorded_at
    taken = Timestamp()
    taken.FromDatetime(time)

    by_position = await _all(
        stub.ReadLog(api.ReadLogRequest(stream="conversations/1", as_of=AsOf(position=5)))
    )
    by_time = await _all(
        stub.ReadLog(api.ReadLogRequest(stream="conversations/1", as_of=AsOf(time=taken)))
    )

    assert _positions(by_position) == [2, 4]
    assert _positions(by_time) == [2, 4]


async def test_following_goes_on_with_heartbeats(served: Served) -> None:
    await served.append("demo", "conversations/1")
    call = (await served.as_service("demo")).ReadLog(api.ReadLogRequest(follow=True))

    first = await _page(call)
    heartbeat = await _page(call)
    await served.append("other", "conversations/1")
    await served.append("demo", "conversations/1")
    seen = []
    while 3 not in seen:
        page = await _page(call)
        seen += [event.position for event in page.events]
    call.cancel()

    assert [event.position for event in first.events] == [1]
    assert (list(heartbeat.events), heartbeat.head_position) == ([], 1)
    assert seen == [3]


async def test_following_up_to_a_position_ends_there(served: Served) -> None:
    call = (await served.as_service()).ReadLog(api.ReadLogRequest(follow=True, until_position=2))
    reading = asyncio.ensure_future(_all(call))
    for _ in range(3):
        await served.append("demo", "conversations/1")

    pages = await asyncio.wait_for(reading, 10)

    assert _positions(pages) == [1, 2]
    assert pages[-1].head_position == 2


@pytest.mark.parametrize(
    ("request_", "tenant", "field"),
    [
        (api.ReadLogRequest(after_position=-1), "", b"after_position"),
        (api.ReadLogRequest(until_position=-1), "", b"until_position"),
        (api.ReadLogRequest(stream="conversations/1"), "", b"stream"),
        (api.ReadLogRequest(stream="conversations/../x"), "demo", b"stream"),
        (api.ReadLogRequest(stream="x" * 300), "demo", b"stream"),
        (api.ReadLogRequest(as_of=AsOf(position=0)), "demo", b"as_of"),
        (api.ReadLogRequest(stream="a/b", as_of=AsOf(position=0), follow=True), "demo", b"as_of"),
        (
            api.ReadLogRequest(stream="a/b", as_of=AsOf(position=0), until_position=1),
            "demo",
            b"as_of",
        ),
        (api.ReadLogRequest(stream="a/b", as_of=AsOf(position=9)), "demo", b"as_of.position"),
    ],
)
async def test_malformed_requests_name_their_field(
    served: Served, request_: api.ReadLogRequest, tenant: str, field: bytes
) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await _all((await served.as_service(tenant)).ReadLog(request_))

    assert reason_from(raised.value) == "FIELD_INVALID"
    trailers = dict(raised.value.trailing_metadata() or ())
    assert field in trailers["grpc-status-details-bin"]


async def _page(
    call: grpc.aio.UnaryStreamCall[api.ReadLogRequest, api.ReadLogResponse],
) -> api.ReadLogResponse:
    page = await asyncio.wait_for(call.read(), 10)
    assert isinstance(page, api.ReadLogResponse)
    return page
