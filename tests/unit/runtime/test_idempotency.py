"""What a repeated request is known by."""

from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from uuid import UUID

import pytest
from careline.identity.v1.token_service_pb2 import DisableServiceAccountRequest
from careline.log.v1.log_service_pb2 import GetHeadRequest
from careline.log.v1.recorded_event_pb2 import PRINCIPAL_KIND_AGENT, EventMetadata
from eventstore.execute import Request
from eventstore.stream_id import StreamId
from messaging.received_event import ReceivedEvent
from runtime.idempotency import Requests
from runtime.principal import Principal, PrincipalKind, service_principal
from runtime.purpose_of_use import PurposeOfUse
from runtime.refusal import FieldsInvalid, Refused
from runtime.request_context import RequestContext, acting_in

AGENT = Principal(PrincipalKind.AGENT, "agents/1", frozenset({"demo"}))
REQUEST_ID = "01970000-0000-7000-8000-000000000001"
CONTEXT = RequestContext(
    action="identity.disableServiceAccount",
    method="careline.identity.v1.TokenService/DisableServiceAccount",
    principal=AGENT,
    tenant="demo",
    purpose=PurposeOfUse.HOPERAT,
    deadline=0,
    correlation_id="01970000-0000-7000-8000-0000000000cc",
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
)


class Keys:
    """Derives a key from tenant and purpose, as the keyring does."""

    async def index_key(self, tenant: str, purpose: str) -> bytes:
        return sha256(f"{tenant}/{purpose}".encode()).digest()


def _message(**fields: str) -> DisableServiceAccountRequest:
    return DisableServiceAccountRequest(
        **{"request_id": REQUEST_ID, "service_account": "serviceAccounts/1", **fields}
    )


async def _request(context: RequestContext = CONTEXT, *, part: str = "", **fields: str) -> Request:
    with acting_in(context):
        return await Requests(Keys()).request_of(_message(**fields), part=part)


async def test_the_same_request_has_the_same_ids_and_digest() -> None:
    first, again = await _request(), await _request(replace(CONTEXT, traceparent="other"))

    assert [first.ids(n) for n in range(3)] == [again.ids(n) for n in range(3)]
    assert first.digest == again.digest
    assert len(first.digest) == 32


async def test_ids_carry_the_time_of_the_request_id() -> None:
    request = await _request()

    assert request.ids(0).hex[:12] == REQUEST_ID.replace("-", "")[:12]
    assert request.ids(0).version == 8
    assert request.ids(0) != request.ids(1)


@pytest.mark.parametrize(
    "context",
    [
        replace(CONTEXT, tenant="other"),
        replace(CONTEXT, principal=replace(AGENT, name="agents/2")),
        replace(CONTEXT, method="careline.identity.v1.TokenService/Other"),
    ],
)
async def test_another_tenant_principal_or_method_has_other_ids(context: RequestContext) -> None:
    assert (await _request(context)).ids(0) != (await _request()).ids(0)


async def test_another_content_has_the_same_ids_and_another_digest() -> None:
    first, other = await _request(), await _request(reason="RETIRED")

    assert first.ids(0) == other.ids(0)
    assert first.digest != other.digest


async def test_parts_of_one_request_have_ids_of_their_own() -> None:
    assert (await _request(part="a")).ids(0) != (await _request(part="b")).ids(0)


async def test_metadata_says_who_why_and_in_which_trace() -> None:
    metadata = EventMetadata.FromString((await _request()).metadata)

    assert (metadata.actor.kind, metadata.actor.name) == (PRINCIPAL_KIND_AGENT, "agents/1")
    assert metadata.purpose_of_use == "HOPERAT"
    assert metadata.correlation_id == CONTEXT.correlation_id
    assert metadata.causation_id == ""
    assert metadata.traceparent == CONTEXT.traceparent
    assert metadata.action == "identity.disableServiceAccount"


async def test_a_mutation_without_request_id_is_refused() -> None:
    with pytest.raises(Refused, match="REQUEST_ID_REQUIRED"):
        await _request(request_id="")
    with acting_in(CONTEXT), pytest.raises(Refused, match="REQUEST_ID_REQUIRED"):
        await Requests(Keys()).request_of(GetHeadRequest())


@pytest.mark.parametrize("text", ["7", "x" * 36, "01970000000070008000000000000001", "{}"])
async def test_a_request_id_that_is_no_uuid_is_refused(text: str) -> None:
    with pytest.raises(FieldsInvalid):
        await _request(request_id=text)


async def test_who_acts_for_no_tenant_can_not_write() -> None:
    with pytest.raises(FieldsInvalid):
        await _request(replace(CONTEXT, tenant="*"))


async def test_a_reaction_is_known_by_its_event_and_consumer() -> None:
    event = ReceivedEvent(
        source="identity",
        epoch=1,
        position=7,
        previous_position=6,
        stream=StreamId("demo", "agents/1"),
        revision=0,
        id=UUID("01970000-0000-8000-8000-000000000009"),
        type="careline.identity.events.v1.AgentCreated",
        data=b"",
        metadata=b"",
        recorded_at=datetime(2026, 11, 23, tzinfo=UTC),
        traceparent="",
        tracestate="",
    )
    context = replace(CONTEXT, principal=service_principal("audit"))
    requests = Requests(Keys())
    with acting_in(context):
        first = await requests.reaction_to(event, consumer="audit_actions")
        again = await requests.reaction_to(event, consumer="audit_actions")
        other = await requests.reaction_to(event, consumer="audit_others")

    assert (first.ids(0), first.digest) == (again.ids(0), again.digest)
    assert first.ids(0) != other.ids(0)
