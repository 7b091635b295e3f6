"""Calls of all four kinds through every interceptor."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from integration.runtime.probe.api import Answer, ProbeApi, ProbeStub, Request, add_nameless
from integration.runtime.rig import Rig, running_rig
from runtime.errors import reason_from, status_from
from runtime.outgoing import CallFor
from runtime.refusal import FieldsInvalid, FieldViolation, Refused
from runtime.request_context import current_request
from runtime.served_method import ActionMissing, methods_of

CANARY = "Jane Doe 555-0199 MRN 12345678"


async def _requests(*positions: int) -> AsyncIterator[Request]:
    for position in positions:
        yield Request(after_position=position)


async def test_all_four_kinds_of_methods_answer(rig: Rig) -> None:
    stub = await rig.stub()

    one = await stub.one(Request(after_position=7))
    many = [answer.head_position async for answer in stub.answers(Request(after_position=3))]
    last = await stub.requests(_requests(1, 2, 5))
    both = [answer.head_position async for answer in stub.both(_requests(1, 2))]

    assert one.head_position == 7
    assert many == [0, 1, 2]
    assert last.head_position == 5
    assert both == [0, 0, 1]


async def _fails(call: grpc.aio.UnaryUnaryCall[Any, Any]) -> grpc.aio.AioRpcError:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return raised.value


async def _one_failure(rig: Rig, kind: str, error: Exception) -> grpc.aio.AioRpcError:
    async def one(_: Request) -> Answer:
        raise error

    async def many(_: Request) -> AsyncIterator[Answer]:
        yield Answer(head_position=1)
        raise error

    rig.api.one, rig.api.many = one, many
    stub = await rig.stub()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await _call(stub, kind)
    return raised.value


async def _call(stub: ProbeStub, kind: str) -> None:
    if kind == "one":
        await stub.one(Request())
    elif kind == "requests":
        await stub.requests(_requests(1))
    else:
        answers = stub.both(_requests(1)) if kind == "both" else stub.answers(Request())
        async for _ in answers:
            pass


@pytest.mark.parametrize("kind", ["one", "answers", "requests", "both"])
async def test_the_text_of_an_exception_reaches_neither_caller_nor_log_nor_span(
    rig: Rig, kind: str
) -> None:
    error = ValueError(f"duplicate key (mrn)=({CANARY})")
    error.__cause__ = KeyError(CANARY)

    failure = await _one_failure(rig, kind, error)

    assert failure.code() is grpc.StatusCode.INTERNAL
    assert reason_from(failure) == "INTERNAL"
    everything = [
        str(failure.details()),
        str(failure.trailing_metadata()),
        str(failure.debug_error_string()),
        rig.log.getvalue(),
        *(span.to_json() for span in rig.spans.get_finished_spans()),
    ]
    assert not [text for text in everything if "Jane" in text or "12345678" in text]
    incident = _details(failure)[0].metadata["incident"]
    assert incident in rig.log.getvalue()
    assert "ValueError" in rig.log.getvalue()
    assert "KeyError" in rig.log.getvalue()


@pytest.mark.parametrize("kind", ["one", "answers", "requests", "both"])
async def test_a_refusal_has_its_code_reason_and_public_metadata_only(rig: Rig, kind: str) -> None:
    refused = Refused("CONVERSATION_STATE", metadata={"state": "closed", "who": CANARY})

    failure = await _one_failure(rig, kind, refused)

    assert failure.code() is grpc.StatusCode.FAILED_PRECONDITION
    (info,) = _details(failure)
    assert (info.reason, info.domain) == ("CONVERSATION_STATE", "careline")
    assert dict(info.metadata) == {"state": "closed"}


@pytest.mark.parametrize("way", ["abort", "abort_with_status", "set_code", "set_details"])
async def test_a_servicer_can_not_send_a_text_of_its_own(rig: Rig, way: str) -> None:
    async def one(_: Request) -> Answer:
        assert rig.api.context.time_remaining() > 0
        await getattr(rig.api.context, way)(grpc.StatusCode.NOT_FOUND, CANARY)
        return Answer()

    rig.api.one = one
    failure = await _fails((await rig.stub()).one(Request()))

    assert reason_from(failure) == "INTERNAL"
    assert CANARY not in str(failure.details())


async def test_malformed_fields_are_named_in_bad_request(rig: Rig) -> None:
    violation = FieldViolation("phone", "an E.164 number")

    failure = await _one_failure(rig, "one", FieldsInvalid(violation))

    info, bad_request = _details(failure)
    assert info.reason == "FIELD_INVALID"
    (named,) = bad_request.field_violations
    assert (named.field, named.description) == ("phone", "an E.164 number")


async def test_a_retry_hint_comes_with_what_passes_by_itself(rig: Rig) -> None:
    failure = await _one_failure(rig, "one", Refused("OVERLOADED", retry_after=2.5))

    _, retry = _details(failure)
    assert failure.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert retry.retry_delay.ToMilliseconds() == 2500


async def test_an_unknown_reason_is_our_fault_and_told_as_such(rig: Rig) -> None:
    failure = await _one_failure(rig, "one", Refused("NO_SUCH_REASON"))

    assert reason_from(failure) == "INTERNAL"


async def test_bytes_that_are_no_message_are_refused_by_a_reason(rig: Rig) -> None:
    failure = await _fails((await rig.stub()).raw(b"\xff\xff\xff\xff"))

    assert failure.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert reason_from(failure) == "FIELD_INVALID"


async def test_a_message_over_the_limit_is_refused_by_a_reason(rig: Rig) -> None:
    stub = await rig.stub()

    at_limit = Request(stream="x" * (1_048_576 - 4))
    assert at_limit.ByteSize() == 1_048_576
    await stub.one(at_limit)
    failure = await _fails(stub.one(Request(stream="x" * 1_048_576)))

    assert failure.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert reason_from(failure) == "MESSAGE_TOO_LARGE"


async def test_a_message_far_over_the_limit_is_refused_by_grpc(rig: Rig) -> None:
    bare = await rig.bare()
    token = await rig.token()

    failure = await _fails(
        ProbeStub(bare).one(
            Request(stream="x" * 3_000_000),
            timeout=5,
            metadata=(("authorization", f"Bearer {token}"),),
        )
    )

    assert failure.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_message_over_the_limit_within_a_stream_ends_it(rig: Rig) -> None:
    async def requests() -> AsyncIterator[Request]:
        yield Request(after_position=1)
        yield Request(stream="x" * 1_048_576)

    stub = await rig.stub()
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stub.requests(requests())

    assert reason_from(raised.value) == "MESSAGE_TOO_LARGE"


async def test_a_method_that_is_not_served_has_its_reason(rig: Rig) -> None:
    failure = await _fails((await rig.stub()).unknown(b"", timeout=5))

    assert failure.code() is grpc.StatusCode.UNIMPLEMENTED
    assert reason_from(failure) == "METHOD_UNKNOWN"


async def test_a_call_without_deadline_is_refused(rig: Rig) -> None:
    metadata = (("authorization", f"Bearer {await rig.token()}"),)

    failure = await _fails(ProbeStub(await rig.bare()).one(Request(), metadata=metadata))

    assert reason_from(failure) == "DEADLINE_REQUIRED"
    assert dict(_details(failure)[0].metadata) == {"max_seconds": "30"}


async def test_a_deadline_beyond_the_methods_bound_is_refused(rig: Rig) -> None:
    stub = await rig.stub()

    failure = await _fails(stub.one(Request(), timeout=45))

    assert reason_from(failure) == "DEADLINE_REQUIRED"
    async for _ in stub.answers(Request(after_position=1), timeout=45):
        pass


async def test_the_longest_deadline_is_taken_though_grpc_rounds_it_up() -> None:
    async with running_rig(max_stream_seconds=3600) as rig:
        stub = ProbeStub(await rig.bare())
        metadata = (("authorization", f"Bearer {await rig.token()}"),)
        # Which way it rounds hangs on microseconds.
        for _ in range(50):
            async for _ in stub.answers(Request(), timeout=3600, metadata=metadata):
                pass
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            async for _ in stub.answers(Request(), timeout=3700, metadata=metadata):
                pass

    assert reason_from(raised.value) == "DEADLINE_REQUIRED"


async def test_the_deadline_cuts_a_servicer_off(rig: Rig) -> None:
    cut_off = asyncio.Event()

    async def one(_: Request) -> Answer:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cut_off.set()
            raise
        raise AssertionError

    rig.api.one = one
    failure = await _fails((await rig.stub()).one(Request(), timeout=0.2))

    assert failure.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    await asyncio.wait_for(cut_off.wait(), 5)


async def test_a_cancelled_call_cancels_the_servicer(rig: Rig) -> None:
    started, cancelled = asyncio.Event(), asyncio.Event()

    async def many(_: Request) -> AsyncIterator[Answer]:
        yield Answer()
        started.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    rig.api.many = many
    call = (await rig.stub()).answers(Request())
    await call.read()
    await started.wait()
    call.cancel()

    await asyncio.wait_for(cancelled.wait(), 5)
    assert await call.code() is grpc.StatusCode.CANCELLED


async def test_the_request_context_says_who_why_and_until_when(rig: Rig) -> None:
    seen = []

    async def one(_: Request) -> Answer:
        seen.append(current_request())
        assert 0 < current_request().remaining() < 9.5
        return Answer()

    rig.api.one = one
    stub = await rig.stub(CallFor(purpose="TREAT", caller_assertion="an.asser.tion"))
    await stub.one(Request(), timeout=9)

    (request,) = seen
    assert request.tenant == "demo"
    assert request.action == "probe.one"
    assert request.method == "careline.probe.v1.ProbeService/One"
    assert request.principal is not None
    assert request.principal.name.startswith("agents/")
    assert request.purpose == "TREAT"
    assert request.caller_assertion == "an.asser.tion"
    assert "an.asser.tion" not in repr(request)
    assert request.traceparent.split("-")[1] == request.correlation_id.replace("-", "")


async def test_calls_beyond_the_limit_are_refused_and_those_within_go_on() -> None:
    release = asyncio.Event()
    entered = asyncio.Semaphore(0)

    async def one(_: Request) -> Answer:
        entered.release()
        await release.wait()
        return Answer(head_position=1)

    async with running_rig(max_concurrent_rpcs=2) as rig:
        rig.api.one = one
        stub = await rig.stub()
        held = [asyncio.ensure_future(_answer(stub)) for _ in range(2)]
        for _ in held:
            await entered.acquire()
        failure = await _fails(stub.one(Request()))
        release.set()

        assert reason_from(failure) == "OVERLOADED"
        assert [answer.head_position for answer in await asyncio.gather(*held)] == [1, 1]
        assert (await stub.one(Request())).head_position == 1


async def _answer(stub: ProbeStub) -> Answer:
    answer: Answer = await stub.one(Request())
    return answer


def test_a_method_without_an_action_is_refused_before_anything_is_served() -> None:
    with pytest.raises(ActionMissing, match="Nameless"):
        methods_of(add_nameless, ProbeApi())


def _details(failure: grpc.aio.AioRpcError) -> list[Any]:
    status = status_from(failure)
    assert isinstance(status, status_pb2.Status)
    assert status.code == failure.code().value[0]
    found = []
    for detail in status.details:
        for kind in (
            error_details_pb2.ErrorInfo,
            error_details_pb2.BadRequest,
            error_details_pb2.RetryInfo,
        ):
            message = kind()
            if detail.Unpack(message):
                found.append(message)
    return found
