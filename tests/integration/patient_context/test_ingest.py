"""Files on their way in: what is refused, what is bounded, what others see meanwhile."""

import asyncio
import json
import resource
import time
from collections.abc import AsyncIterator, Iterable
from datetime import date
from pathlib import Path

import grpc
import pytest
from careline.patient_context.v1.ingest_service_pb2 import IngestResourcesRequest
from careline.patient_context.v1.patient_service_pb2 import GetPatientContextRequest
from careline_cli.demo_patients import demo_bundles
from integration.patient_context.people import brought_in, found, history, person
from integration.patient_context.rig import (
    BUNDLE,
    NDJSON,
    OTHER,
    Client,
    Ground,
    Process,
    process_on,
)
from runtime.errors import reason_from
from runtime.new_id import new_id
from runtime.tokens.caller_assertion import CallerLevel
from unit.patient_context.fhir import bundle, condition, patient, record_number

Part = IngestResourcesRequest


@pytest.fixture(scope="module")
async def operator(process: Process) -> Client:
    return await process.operator()


async def _sent(client: Client, parts: Iterable[Part]) -> str:
    """Send parts as they are; gives the reason that the stream is refused for."""

    async def stream() -> AsyncIterator[Part]:
        for part in parts:
            yield part

    call = client.ingest.IngestResources(stream())
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await anext(aiter(call))
    return reason_from(raised.value)


@pytest.mark.parametrize(
    "parts",
    [
        [Part(file=1, format=BUNDLE, last=True)],
        [Part(file=-1, format=BUNDLE, last=True)],
        [Part(file=0, part=b"x", last=True)],
        [Part(file=0, format=Part.FORMAT_UNSPECIFIED, last=True)],
        [Part(file=0, format=BUNDLE), Part(file=1, format=BUNDLE, last=True)],
        [Part(file=0, format=BUNDLE), Part(file=0, format=NDJSON, last=True)],
        [Part(file=0, format=BUNDLE, part=b"{")],
        [Part(file=0, format=NDJSON, part=b"{}\n")],
        [Part(file=0, format=NDJSON, last=True), Part(file=0, format=NDJSON, last=True)],
        [Part(file=0, format=BUNDLE, part=b"x" * (512 * 1024 + 1), last=True)],
    ],
)
async def test_parts_that_make_no_file_are_refused(operator: Client, parts: list[Part]) -> None:
    assert await _sent(operator, parts) == "FIELD_INVALID"


async def test_a_message_larger_than_any_is_refused(operator: Client) -> None:
    part = Part(file=0, format=BUNDLE, part=b"x" * (1 << 20), last=True)
    assert await _sent(operator, [part]) == "MESSAGE_TOO_LARGE"


async def test_only_operators_bring_data_in(process: Process) -> None:
    for client in (await process.agent(), await process.agent("supervisor")):
        assert await _sent(client, [Part(file=0, format=BUNDLE, last=True)]) == "DENIED_OR_ABSENT"


async def test_no_file_is_no_fault(operator: Client) -> None:
    assert await operator.bring() == []
    (answer,) = await operator.bring(b"", kind=NDJSON)
    assert (answer.patients, list(answer.refused)) == (0, [])


async def test_hostile_files_are_refused_one_by_one_and_the_rest_goes_in(
    process: Process, operator: Client
) -> None:
    before = len(await process.events())
    hostile = [
        b"\x00" * 100_000,
        b"\xff\xfe",
        b"null",
        b'{"resourceType":"Patient"}',
        b'{"resourceType":"Bundle","type":"transaction","entry":[' + b"[" * 400_000,
        b'{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"id":"'
        + b"x" * (6 << 20),
        json.dumps(bundle(patient(), kind="history")).encode(),
        person("I-1")[:-20],
    ]
    answers = await operator.bring(*hostile, person("I-2"), *hostile[:2])
    assert [answer.file for answer in answers] == list(range(len(hostile) + 3))
    good = answers[len(hostile)]
    assert (good.patients, good.changed, list(good.refused)) == (1, 1, [])
    for answer in answers:
        if answer is not good:
            assert (answer.patients, answer.changed, dict(answer.resources)) == (0, 0, {})
            assert len(answer.refused) == 1
            assert "Ordóñez" not in str(answer)
            assert "xxxx" not in str(answer)
    assert len(await process.events()) == before + 1


async def test_a_line_of_100_megabytes_is_passed_over_in_bounded_memory(operator: Client) -> None:
    lines = json.dumps(patient(identifier=[record_number("I-3")], id="i3")).encode()

    async def parts() -> AsyncIterator[Part]:
        yield Part(file=0, format=NDJSON, part=b'{"resourceType":"Patient","id":"')
        for _ in range(200):
            yield Part(file=0, part=b"x" * (512 * 1024))
        yield Part(file=0, part=b'"}\n' + lines, last=True)

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    answers = [answer async for answer in operator.ingest.IngestResources(parts())]
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    ((refused,),) = [answer.refused for answer in answers]
    assert refused.line == 1
    assert refused.reason.startswith("longer than")
    assert answers[0].changed == 1
    assert grown < 100 * 1024


async def test_an_export_larger_than_a_spill_is_refused(ground: Ground) -> None:
    lines = b"\n".join(
        json.dumps(patient(id=f"x{number}", identifier=[record_number(f"X-{number}")])).encode()
        for number in range(20_000)
    )
    async with process_on(
        ground, replicated=False, spill_bytes=1_048_576, spill_in_memory_bytes=65_536
    ) as small:
        client = await small.operator()
        parts = [
            Part(
                file=0,
                format=Part.FORMAT_UNSPECIFIED if at else NDJSON,
                part=lines[at : at + 400_000],
            )
            for at in range(0, len(lines), 400_000)
        ]
        assert await _sent(client, parts) == "MESSAGE_TOO_LARGE"
        assert await found(await small.agent(), medical_record_number="X-1") == []


async def test_refusals_of_an_export_name_file_and_line(operator: Client) -> None:
    people = json.dumps(patient(id="i4", identifier=[record_number("I-4")])).encode()
    same = json.dumps(patient(id="i5", identifier=[record_number("I-4")])).encode()
    about = json.dumps(condition(subject={"reference": "Patient/nobody"})).encode()
    first, second = await operator.bring(people + b"\nno json", about + b"\n" + same, kind=NDJSON)
    assert [(one.line, one.reason) for one in first.refused if one.line == 2] == [(2, "not JSON")]
    assert (1, "Condition.subject") in {(one.line, one.path) for one in second.refused}
    again = [*first.refused, *second.refused]
    assert [one.reason for one in again if "the same patient" in one.reason]
    assert first.changed + second.changed == 1


async def test_a_patient_without_a_record_in_the_file_keeps_the_record(
    process: Process, operator: Client
) -> None:
    agent = await process.agent()
    name = await brought_in(operator, agent, "I-6", *history())
    parts = await process.ground.count("record_part")
    (answer,) = await operator.bring(person("I-6", birthDate="1972-04-04"))
    assert answer.changed == 1
    assert await process.ground.count("record_part") == parts
    assert await found(agent, medical_record_number="I-6", birth_date="1972-04-04") == [name]


async def test_concurrent_ingests_of_the_same_agree(process: Process) -> None:
    clients = [await process.operator(OTHER) for _ in range(4)]
    files = [person(f"I-7{number}", *history()) for number in range(6)]
    every = await asyncio.gather(*(client.bring(*files) for client in clients))
    assert not [refused for answers in every for answer in answers for refused in answer.refused]
    registered = await process.events(OTHER, ".PatientRegistered")
    assert len(registered) == 6
    assert len(await process.events(OTHER, ".ClinicalRecordTakenIn")) == 6


async def test_two_processes_agree_on_who_a_patient_is(
    process: Process, ground: Ground, operator: Client
) -> None:
    async with process_on(ground, replicated=False) as other:
        theirs = await other.operator()
        files = [person(f"I-8{number}", *history()) for number in range(5)]
        mine, other_answers = await asyncio.gather(operator.bring(*files), theirs.bring(*files))
    assert not [one for answer in (*mine, *other_answers) for one in answer.refused]
    agent = await process.agent()
    for number in range(5):
        assert len(await found(agent, medical_record_number=f"I-8{number}")) == 1


async def test_others_are_answered_meanwhile(process: Process, shared_data: Path) -> None:
    """One bundle of 1.6 MB would hold up everybody for some 50 ms were it parsed in one go."""
    operator = await process.operator(OTHER)
    agent = await process.agent(tenant=OTHER)
    name = await brought_in(operator, agent, "I-9", *history())
    conversation = f"conversations/{new_id()}"
    verified = await process.assertion(name, conversation, CallerLevel.VERIFIED, OTHER)
    looking = await process.agent(tenant=OTHER, assertion=verified)
    files = sorted((shared_data / "synthea_r4_bundles").iterdir())[:12]
    bringing = asyncio.create_task(operator.bring(*files))
    took: list[float] = []
    while not bringing.done():
        began = time.monotonic()
        await looking.patients.GetPatientContext(
            GetPatientContextRequest(patient=name, conversation=conversation)
        )
        took.append(time.monotonic() - began)
    assert sum(answer.changed for answer in bringing.result()) == 12
    assert len(took) >= 5
    assert max(took) < 2


async def test_all_demo_patients_go_in_and_the_next_days_are_the_same_people(
    process: Process, operator: Client
) -> None:
    today = demo_bundles(seed=7, today=date(2026, 3, 1))
    answers = await operator.bring(*today)
    assert not [refused for answer in answers for refused in answer.refused]
    assert [(answer.patients, answer.changed) for answer in answers] == [(1, 1)] * 12
    assert not any(answer.changed for answer in await operator.bring(*today))
    agent = await process.agent()
    sharing = await found(agent, phone="+16175550150")
    assert len(sharing) == 2
    before = len(await process.events(kind=".PatientRegistered"))
    await operator.bring(*demo_bundles(seed=7, today=date(2026, 3, 2)))
    assert len(await process.events(kind=".PatientRegistered")) == before
    assert await found(agent, phone="+16175550150") == sharing


async def test_nothing_of_a_patient_stands_in_clear_in_the_database(
    process: Process, ground: Ground, operator: Client
) -> None:
    await brought_in(operator, await process.agent(), "I-10-SECRET", *history())
    for table in ("event", "patient", "record_part", "consent", "patient_token"):
        rows = await ground.rows(f"select t::text as row from patient_context.{table} t")  # noqa: S608
        content = "\n".join(row.row for row in rows).casefold()
        for clear in ("Ordóñez", "I-10-SECRET", "6175550123", "Corwin", "1972-03-03", "Metformin"):
            for form in (clear, clear.encode().hex()):
                assert form.casefold() not in content
