"""The read model is closed to other tenants, found by indexes, and never shows half a record."""

from typing import Any

import pytest
from careline.patient_context.v1.patient_service_pb2 import GetPatientContextRequest
from eventstore.errors import LogUnavailable
from eventstore.event_log import Appended
from integration.patient_context.people import brought_in, found, history, person
from integration.patient_context.rig import DEMO, OTHER, Client, Process
from integration.refusals import refusal
from patient_context.adapters.read_model import tables
from patient_context.adapters.read_model.projection import PatientProjection
from runtime.database.tenant_session import tenant_session
from runtime.new_id import new_id
from runtime.tokens.caller_assertion import CallerLevel
from sqlalchemy import func, select, text
from unit.patient_context.fhir import concept, condition

TABLES = (tables.patient, tables.record_part, tables.consent, tables.patient_token)


@pytest.fixture(scope="module")
async def operator(process: Process) -> Client:
    return await process.operator()


async def _conditions(process: Process, patient: str) -> set[str]:
    conversation = f"conversations/{new_id()}"
    assertion = await process.assertion(patient, conversation, CallerLevel.VERIFIED)
    client = await process.agent(assertion=assertion)
    answer = await client.patients.GetPatientContext(
        GetPatientContextRequest(patient=patient, conversation=conversation)
    )
    return {one.display for one in answer.patient_context.conditions}


def _many(display: str) -> list[Any]:
    """Conditions that need more parts than one append takes events."""
    code = concept("http://snomed.info/sct", "1", display)
    return [condition(id=f"{display}{number}", code=code) for number in range(1_700)]


async def test_a_session_sees_its_tenant_and_without_one_nothing(
    process: Process, operator: Client
) -> None:
    await brought_in(operator, await process.agent(), "R-1", *history())
    other = await process.operator(OTHER)
    await brought_in(other, await process.agent(tenant=OTHER), "R-1", *history())
    queries = process.ground.queries
    for table in TABLES:
        tenants = select(table.c.tenant).distinct()
        for tenant in (DEMO, OTHER):
            async with tenant_session(queries, tenant) as connection:
                assert set((await connection.execute(tenants)).scalars()) <= {tenant}
        async with queries.connect() as connection:
            assert await connection.scalar(select(func.count()).select_from(table)) == 0


@pytest.mark.parametrize(
    "query",
    [
        "select token from patient_context.patient_token where tenant = 'demo' and token = 'a'",
        "select data from patient_context.patient where tenant = 'demo' and patient in ('a')",
        "select data from patient_context.record_part where tenant = 'demo' and patient in ('a')",
    ],
)
async def test_rows_are_found_by_an_index(process: Process, query: str) -> None:
    async with tenant_session(process.ground.queries, DEMO) as connection:
        await connection.execute(text("set local enable_seqscan = off"))
        await connection.execute(text("set local enable_bitmapscan = off"))
        plan = "\n".join((await connection.execute(text(f"explain {query}"))).scalars())
    (condition_line,) = [line for line in plan.splitlines() if "Index Cond" in line]
    assert "tenant" in condition_line
    assert "token" in condition_line or "patient" in condition_line


async def test_half_a_record_is_never_shown_and_sending_it_again_completes_it(
    process: Process, operator: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    patient = await brought_in(operator, await process.agent(), "R-2", *_many("first"))
    assert await _conditions(process, patient) == {"first"}
    log = process.serving.runtime._parts.log
    append = log.append
    appended: list[object] = []

    async def away_at_the_second(*writes: Any, **how: Any) -> Appended:  # noqa: ANN401
        if writes[0].stream.name == patient:
            appended.append(writes)
            if len(appended) == 2:
                raise LogUnavailable("the log is away")
        return await append(*writes, **how)

    content = person("R-2", *_many("second"))
    monkeypatch.setattr(log, "append", away_at_the_second)
    assert await refusal(operator.bring(content)) == "DEPENDENCY_UNAVAILABLE"
    monkeypatch.undo()
    assert await _conditions(process, patient) == {"first"}

    (answer,) = await operator.bring(content)
    assert answer.changed == 1
    assert await _conditions(process, patient) == {"second"}
    parts = await process.ground.rows(
        f"select count(distinct content_digest) as n from patient_context.record_part"  # noqa: S608
        f" where patient = '{patient}'"
    )
    assert parts[0].n == 1


async def test_rebuilt_from_the_log_it_is_as_before_and_who_is_erased_stays_away(
    process: Process, operator: Client
) -> None:
    agent = await process.agent()
    kept = await brought_in(operator, agent, "R-3", *history())
    gone = await brought_in(operator, agent, "R-4", *history())
    await process.keyring.erase(DEMO, gone, gone)
    ground = process.ground
    before = await ground.rows("select * from patient_context.patient_token order by 1, 2, 3")
    async with ground.database.engine.begin() as connection:
        for table in TABLES:
            await connection.execute(text(f"delete from {table.fullname}"))  # noqa: S608
    runtime = process.serving.runtime
    events = [event async for event in runtime.log.read_log()]
    async with ground.queries.connect() as connection:
        places = {"patient_context": "patient_context_patient_b1"}
        await connection.execution_options(schema_translate_map=places)
        await connection.execute(text("select set_config('careline.tenant', '*', true)"))
        await PatientProjection(runtime.codec, process.keyring).apply(
            connection, [one for one in events if one.type in PatientProjection.types]
        )
        await connection.commit()
    after = await ground.rows("select * from patient_context.patient_token order by 1, 2, 3")
    assert [row for row in before if row.patient != gone] == after
    assert await found(agent, medical_record_number="R-3") == [kept]
    assert await found(agent, medical_record_number="R-4") == []
