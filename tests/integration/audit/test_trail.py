"""The trail over gRPC: who did what, who saw whose data and when, of every service's log."""

from datetime import UTC, datetime, timedelta

import pytest
from careline.audit.v1 import audit_service_pb2 as pb2
from careline.log.v1.recorded_event_pb2 import PRINCIPAL_KIND_AGENT
from google.protobuf.timestamp_pb2 import Timestamp
from integration.audit.rig import (
    DISCLOSED,
    OTHER,
    SOURCES,
    Client,
    Ground,
    Process,
    agent_name,
    patient_name,
)
from integration.bad_calls import refused

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def stamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made


def records(accesses: list[pb2.Access]) -> list[str]:
    return [one.event_id for one in accesses]


@pytest.mark.parametrize("service", SOURCES)
async def test_what_a_service_did_is_in_the_trail_once_with_who_why_when_and_its_trace(
    process: Process, ground: Ground, service: str
) -> None:
    actor = agent_name()
    fact = await ground.happens(service, actor=actor, purpose="HPAYMT")
    (entry,) = await process.entries_of(fact)
    (recorded,) = [
        event async for event in ground.logs[service].log.read_log(after=fact.position - 1)
    ]

    assert (entry.service, entry.action) == (service, f"{service}.doSomething")
    assert (entry.actor.kind, entry.actor.name) == (PRINCIPAL_KIND_AGENT, actor)
    assert (entry.purpose_of_use, entry.type) == ("HPAYMT", fact.event.type)
    assert (entry.stream, entry.position) == (fact.stream, fact.position)
    assert entry.time == stamp(recorded.recorded_at)
    assert entry.trace_id == fact.trace_id


@pytest.mark.parametrize("service", SOURCES)
async def test_a_disclosure_is_an_access_and_an_action_once_each(
    process: Process, ground: Ground, auditor: Client, service: str
) -> None:
    patient, recipient = patient_name(), agent_name()
    fact = await ground.discloses(service, patient, recipient, at=NOON)
    (access,) = await auditor.accesses(
        patient=patient, at_least_service=service, at_least=fact.position
    )
    (action,) = await process.entries_of(fact)

    assert (access.patient, access.recipient.name) == (patient, recipient)
    assert (access.service, access.action) == (service, f"{service}.getSomething")
    assert (access.purpose_of_use, access.caller_level) == ("TREAT", "VERIFIED")
    assert list(access.resource_types) == ["Patient", "Condition"]
    assert access.conversation == "conversations/0197"
    assert access.disclose_time == stamp(NOON)
    assert (access.record, access.position) == (fact.stream, fact.position)
    assert (access.event_id, access.trace_id) == (str(fact.event.id), fact.trace_id)
    assert (action.type, action.actor.name) == (DISCLOSED, recipient)
    assert action.trace_id == fact.trace_id


async def test_who_saw_a_patients_data_and_whose_data_somebody_saw(
    ground: Ground, auditor: Client
) -> None:
    patients, agents = [patient_name() for _ in range(2)], [agent_name() for _ in range(2)]
    facts = [
        await ground.discloses("patient_context", patient, agent)
        for patient in patients
        for agent in agents
    ]
    await auditor.follows("patient_context", facts[-1].position)
    ids = [str(fact.event.id) for fact in facts]

    assert records(await auditor.accesses(patient=patients[0])) == ids[:2]
    assert records(await auditor.accesses(recipient=agents[1])) == [ids[1], ids[3]]
    both = await auditor.accesses(patient=patients[1], recipient=agents[0])
    assert records(both) == [ids[2]]
    assert await auditor.accesses(patient=patient_name()) == []


async def test_a_span_of_time_begins_with_its_start_and_stops_before_its_end(
    ground: Ground, auditor: Client
) -> None:
    patient = patient_name()
    hours = [NOON + timedelta(hours=n) for n in range(4)]
    facts = [
        await ground.discloses("conversations", patient, agent_name(), at=hour)
        for hour in reversed(hours)
    ]
    await auditor.follows("conversations", facts[-1].position)
    ids = [str(fact.event.id) for fact in reversed(facts)]

    async def seen(**span: Timestamp) -> list[str]:
        return records(await auditor.accesses(patient=patient, **span))

    assert await seen() == ids
    assert await seen(start_time=stamp(hours[1])) == ids[1:]
    assert await seen(end_time=stamp(hours[2])) == ids[:2]
    assert await seen(start_time=stamp(hours[1]), end_time=stamp(hours[2])) == [ids[1]]
    assert await seen(start_time=stamp(hours[3] + timedelta(microseconds=1))) == []


async def test_pages_hold_everything_once_also_of_one_moment_and_while_more_is_recorded(
    ground: Ground, auditor: Client
) -> None:
    patient = patient_name()
    facts = [
        await ground.discloses(service, patient, agent_name(), at=NOON)
        for service in SOURCES
        for _ in range(3)
    ]
    for fact in facts:
        await auditor.follows(fact.service, fact.position)
    seen: list[str] = []
    query = pb2.ListAccessesRequest(patient=patient, page_size=4)
    while True:
        page = await auditor.audit.ListAccesses(query)
        assert len(page.accesses) <= 4
        seen += records(list(page.accesses))
        later = await ground.discloses(
            "routing", patient, agent_name(), at=NOON - timedelta(hours=1)
        )
        await auditor.follows("routing", later.position)
        if not page.next_page_token:
            break
        query.page_token = page.next_page_token

    assert len(seen) == len(facts)
    assert set(seen) == {str(fact.event.id) for fact in facts}


async def test_a_page_token_is_of_its_own_query(ground: Ground, auditor: Client) -> None:
    patient = patient_name()
    facts = [await ground.discloses("routing", patient, agent_name()) for _ in range(3)]
    await auditor.follows("routing", facts[-1].position)
    list_accesses = auditor.audit.ListAccesses
    page = await list_accesses(pb2.ListAccessesRequest(patient=patient, page_size=1))
    token = page.next_page_token

    other = pb2.ListAccessesRequest(patient=patient_name(), page_token=token)
    assert (await refused(list_accesses(other))).reason == "PAGE_TOKEN_INVALID"
    actions = pb2.ListActionsRequest(page_token=token)
    assert (await refused(auditor.audit.ListActions(actions))).reason == "PAGE_TOKEN_INVALID"
    larger = pb2.ListAccessesRequest(patient=patient, page_size=9, page_token=token)
    assert len((await list_accesses(larger)).accesses) == 2


async def test_actions_are_narrowed_by_stream_actor_trace_and_time(
    process: Process, ground: Ground, auditor: Client
) -> None:
    actor = agent_name()
    facts = [await ground.happens(service, actor=actor) for service in ("identity", "routing")]
    entries = await process.entries_of(*facts)
    first, second = facts

    assert [one.event_id for one in entries] == [str(fact.event.id) for fact in facts]
    assert await auditor.actions(actor=actor) == entries
    assert await auditor.actions(stream=second.stream) == entries[1:]
    assert await auditor.actions(trace_id=first.trace_id) == entries[:1]
    assert await auditor.actions(actor=actor, trace_id=second.trace_id) == entries[1:]
    assert await auditor.actions(actor=actor, start_time=entries[1].time) == entries[1:]
    assert await auditor.actions(actor=actor, end_time=entries[1].time) == entries[:1]


async def test_two_tenants_see_nothing_of_each_other(process: Process, ground: Ground) -> None:
    patient, recipient = patient_name(), agent_name()
    theirs = await ground.discloses("patient_context", patient, recipient, tenant=OTHER)
    ours = await ground.discloses("patient_context", patient, recipient)
    auditor, other = await process.auditor(), await process.auditor(OTHER)
    await auditor.follows("patient_context", ours.position)

    assert records(await auditor.accesses(patient=patient)) == [str(ours.event.id)]
    assert records(await other.accesses(patient=patient)) == [str(theirs.event.id)]
    assert records(await other.accesses(recipient=recipient)) == [str(theirs.event.id)]
    for one, fact in ((auditor, theirs), (other, ours)):
        assert await one.actions(stream=fact.stream) == []
        assert await one.actions(trace_id=fact.trace_id) == []


async def test_coverage_says_how_far_each_log_is_in(ground: Ground, auditor: Client) -> None:
    facts = {service: await ground.happens(service) for service in SOURCES}
    for service, fact in facts.items():
        await auditor.follows(service, fact.position)
    coverage = await auditor.coverage()

    assert {service: one.position for service, one in coverage.items()} == {
        service: fact.position for service, fact in facts.items()
    }
    assert {one.epoch for one in coverage.values()} == {1}
    assert all(one.HasField("take_in_time") for one in coverage.values())


async def test_a_read_that_waits_for_what_never_comes_ends_with_its_deadline(
    ground: Ground, auditor: Client
) -> None:
    fact = await ground.happens("identity")
    request = pb2.ListAccessesRequest(
        patient=patient_name(), at_least_service="identity", at_least=fact.position + 1000
    )
    refusal = await refused(auditor.audit.ListAccesses(request, timeout=2))

    assert refusal.why == ("UNAVAILABLE", "DEPENDENCY_UNAVAILABLE")


async def test_an_event_that_does_not_say_who_caused_it_is_in_the_trail_all_the_same(
    process: Process, ground: Ground
) -> None:
    fact = await ground.happens("conversations", metadata=b"")
    (entry,) = await process.entries_of(fact)

    assert (entry.actor.name, entry.action, entry.trace_id) == ("", "", "")
