"""Facts about access in the service's own log."""

from collections.abc import Collection
from dataclasses import replace
from hashlib import sha256
from uuid import UUID

import pytest
from careline.log.events.v1.events_pb2 import AccessRefused, Disclosed, LogRead
from careline.log.v1.recorded_event_pb2 import EventMetadata
from eventstore.event import RecordedEvent
from eventstore.memory import MemoryEventLog
from runtime.access_records import ACCESS_EVENTS, AccessRecords
from runtime.event_codec import LogCodec
from runtime.event_recorder import EventRecorder
from runtime.idempotency import Requests
from runtime.principal import Principal, PrincipalKind, service_principal
from runtime.purpose_of_use import PurposeOfUse
from runtime.refusal import Refused
from runtime.request_context import RequestContext, acting_in
from sealing.event_codec import EventCodec
from sealing.keyring.data_key import DataKey, Erased
from sealing.keyring.errors import KeyringUnavailable
from sealing.sealer import Sealer

AGENT = Principal(PrincipalKind.AGENT, "agents/1", frozenset({"demo"}))
REQUEST = RequestContext(
    "patientContext.getPatientContext", "S/M", AGENT, "demo", PurposeOfUse.TREAT, 0, "c"
)


class NoKeys:
    """These events have nothing to seal."""

    async def data_key(self, _tenant: str, _subject: str, /) -> DataKey:
        raise AssertionError

    async def keys_by_id(
        self, _tenant: str, _ids: Collection[UUID], /
    ) -> dict[UUID, DataKey | Erased]:
        raise AssertionError


class IndexKeys:
    def __init__(self) -> None:
        self.away = False

    async def index_key(self, tenant: str, purpose: str) -> bytes:
        if self.away:
            raise KeyringUnavailable("away")
        return sha256(f"{tenant}/{purpose}".encode()).digest()


class Rig:
    def __init__(self) -> None:
        self.log = MemoryEventLog()
        self.keys = IndexKeys()
        codec = LogCodec(EventCodec(Sealer(NoKeys()), "identity", ACCESS_EVENTS))
        self.records = AccessRecords(EventRecorder(self.log, codec), Requests(self.keys))

    async def events(self) -> list[RecordedEvent]:
        return [event async for event in self.log.read_log()]


async def test_a_disclosure_says_whose_data_go_to_whom_and_why() -> None:
    rig = Rig()
    with acting_in(REQUEST):
        name = await rig.records.disclosed(
            "patients/1", ["Patient", "Condition"], caller_level="VERIFIED", obligations=["notice"]
        )

    (event,) = await rig.events()
    disclosed = Disclosed.FromString(event.data)
    assert name == event.stream.name
    assert event.stream.category == "disclosures"
    assert (disclosed.patient, disclosed.recipient.name) == ("patients/1", "agents/1")
    assert disclosed.purpose_of_use == "TREAT"
    assert list(disclosed.resource_types) == ["Patient", "Condition"]
    assert EventMetadata.FromString(event.metadata).action == REQUEST.action


async def test_a_disclosure_that_can_not_be_recorded_is_none() -> None:
    rig = Rig()
    rig.keys.away = True

    with acting_in(REQUEST), pytest.raises(KeyringUnavailable):
        await rig.records.disclosed("patients/1", ["Patient"])


@pytest.mark.parametrize(
    "asked", [replace(REQUEST, principal=None), replace(REQUEST, purpose=None)]
)
async def test_a_disclosure_to_nobody_or_for_nothing_is_refused(asked: RequestContext) -> None:
    rig = Rig()

    with acting_in(asked), pytest.raises(Refused, match="DENIED_OR_ABSENT"):
        await rig.records.disclosed("patients/1", ["Patient"])

    assert await rig.events() == []


async def test_a_refusal_is_recorded_with_its_action() -> None:
    rig = Rig()
    await rig.records.refused(REQUEST)

    (event,) = await rig.events()
    refused = AccessRefused.FromString(event.data)
    assert (refused.action, refused.principal.name) == (REQUEST.action, "agents/1")


async def test_a_flood_of_refusals_does_not_fill_the_log(caplog: pytest.LogCaptureFixture) -> None:
    rig = Rig()
    for _ in range(200):
        await rig.records.refused(REQUEST)

    assert 20 <= len(await rig.events()) <= 40
    assert "a refusal is not recorded" in caplog.text


async def test_a_refusal_stands_when_it_can_not_be_recorded(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rig = Rig()
    rig.keys.away = True
    await rig.records.refused(REQUEST)

    assert await rig.events() == []
    assert "a refusal is not recorded" in caplog.text


async def test_who_refuses_without_a_tenant_is_logged_alone() -> None:
    rig = Rig()
    await rig.records.refused(replace(REQUEST, tenant="*"))

    assert await rig.events() == []


async def test_people_who_read_the_log_are_recorded_and_services_are_not() -> None:
    rig = Rig()
    for principal in (AGENT, service_principal("audit")):
        request = replace(REQUEST, principal=principal)
        with acting_in(request):
            await rig.records.log_read(request, 7, "conversations/1")

    (event,) = await rig.events()
    read = LogRead.FromString(event.data)
    assert (read.reader.name, read.after_position, read.stream) == (
        "agents/1",
        7,
        "conversations/1",
    )
