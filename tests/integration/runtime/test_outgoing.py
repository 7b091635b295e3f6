"""What calls of ours carry along, and how they are retried."""

from uuid import uuid4

import grpc
import pytest
from careline.log.v1.log_service_pb2_grpc import add_LogServiceServicer_to_server
from eventstore.event import NewEvent
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.memory import MemoryEventLog
from eventstore.stream_id import StreamId
from integration.runtime.probe.api import Answer, ProbeStub, Request
from integration.runtime.rig import Rig, running_rig
from opentelemetry.trace import SpanKind
from runtime.channel import open_channel
from runtime.errors import reason_from
from runtime.log_service import LogApi
from runtime.outgoing import CallFor, Outgoing
from runtime.principal import service_principal
from runtime.refusal import Refused
from runtime.remote_log import RemoteLogReader
from runtime.request_context import current_request


async def test_a_call_made_while_serving_has_less_time_than_its_cause(rig: Rig) -> None:
    remaining = []
    stub = await rig.stub()

    async def one(request: Request) -> Answer:
        remaining.append(current_request().remaining())
        if request.after_position:
            await stub.one(Request(), timeout=25)
        return Answer()

    rig.api.one = one
    await stub.one(Request(after_position=1), timeout=10)

    outer, inner = remaining
    assert inner < outer * 0.91


async def test_purpose_and_assertion_of_the_request_go_along(rig: Rig) -> None:
    seen = []
    stub = await rig.stub()
    first = await rig.stub(CallFor(purpose="TREAT", caller_assertion="a.b.c"))

    async def one(request: Request) -> Answer:
        context = current_request()
        seen.append((context.purpose, context.caller_assertion, context.correlation_id))
        if request.after_position:
            await stub.one(Request())
        return Answer()

    rig.api.one = one
    await first.one(Request(after_position=1))

    assert seen[0] == seen[1]
    assert seen[0][:2] == ("TREAT", "a.b.c")


async def test_what_a_caller_sets_by_himself_stays(rig: Rig) -> None:
    purposes = []

    async def one(_: Request) -> Answer:
        purposes.append(current_request().purpose)
        return Answer()

    rig.api.one = one
    stub = await rig.stub(CallFor(purpose="TREAT"))
    await stub.one(Request(), metadata=(("careline-purpose-of-use", "HPAYMT"),))

    assert purposes == ["HPAYMT"]


@pytest.mark.parametrize(
    ("reason", "tries"), [("DEPENDENCY_UNAVAILABLE", 3), ("OVERLOADED", 1), ("CONFLICT", 1)]
)
async def test_unavailable_alone_is_retried(rig: Rig, reason: str, tries: int) -> None:
    calls = 0

    async def one(_: Request) -> Answer:
        nonlocal calls
        calls += 1
        if calls < 3:
            raise Refused(reason)
        return Answer(head_position=7)

    rig.api.one = one
    call = (await rig.stub()).one(Request())
    if tries == 1:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await call
        assert reason_from(raised.value) == reason
    else:
        assert (await call).head_position == 7
    assert calls == tries


async def test_a_token_that_can_not_be_had_fails_the_call_before_it_is_made(rig: Rig) -> None:
    class Away:
        async def token(self) -> str:
            raise Refused("DEPENDENCY_UNAVAILABLE")

    outgoing = Outgoing(Away(), rig.telemetry)
    channel = await rig.stack.enter_async_context(
        open_channel(f"127.0.0.1:{rig.server.port}", outgoing)
    )
    with pytest.raises(Refused):
        await ProbeStub(channel).one(Request())

    assert rig.api.seen == []
    assert [span.kind for span in rig.spans.get_finished_spans()] == [SpanKind.CLIENT]


async def test_a_remote_log_is_read_as_a_consumer_needs_it() -> None:
    log = MemoryEventLog()
    for number in range(5):
        event = NewEvent(uuid4(), "careline.probe.v1.Happened", bytes([number]), b"", bytes(32))
        stream = StreamId("demo" if number % 2 else "other", "conversations/1")
        await log.append(Write(stream, ExpectedRevision.ANY, (event,)))
    async with running_rig(servicers=((add_LogServiceServicer_to_server, LogApi(log)),)) as rig:
        token = await rig.token(service_principal("audit"), "token-audit")
        reader = RemoteLogReader(await rig.channel(token), "routing")
        read = [event async for event in reader.read(1, 4)]
        head = await reader.head()

    assert [(event.position, event.previous_position) for event in read] == [(2, 1), (3, 2), (4, 3)]
    assert head == await log.head()
    assert [event.stream.tenant for event in read] == ["demo", "other", "demo"]
    assert {(event.source, event.epoch) for event in read} == {("routing", 1)}
