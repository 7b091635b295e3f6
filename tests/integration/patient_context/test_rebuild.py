"""Patients rebuilt beside the live read model."""

import pytest
from careline.patient_context.v1.patient_service_pb2 import ErasePatientRequest
from integration.patient_context.people import brought_in, found, history
from integration.patient_context.rig import Client, Process
from integration.rebuilding import ReadModel
from integration.refusals import request_id


@pytest.fixture(scope="module")
async def operator(process: Process) -> Client:
    return await process.operator()


async def test_it_comes_out_equal_and_who_was_erased_stays_erased(
    process: Process, operator: Client
) -> None:
    agent = await process.agent()
    model = ReadModel(process.serving.runtime, process.ground.database.engine, "patient")
    kept = await brought_in(operator, agent, "B-1", *history())
    gone = await brought_in(operator, agent, "B-2", *history())
    await operator.patients.ErasePatient(
        ErasePatientRequest(patient=gone, request_id=request_id(), reason="PATIENT_REQUEST")
    )
    rebuilt = await model.rebuilt()
    assert rebuilt.verified, rebuilt.differences
    rows = {one.table: one.new_rows for one in rebuilt.differences}
    assert rows["patient"] > 0
    await model.switched()
    assert await found(agent, medical_record_number="B-1") == [kept]
    assert await found(agent, medical_record_number="B-2") == []
    late = await brought_in(operator, agent, "B-3", *history())
    assert await found(agent, medical_record_number="B-3") == [late]
    for place in ("patient_context_patient_b1", "patient_context_patient_b2"):
        found_rows = await process.ground.rows(
            f"select 1 from {place}.patient where patient = '{gone}'"  # noqa: S608
        )
        assert found_rows == []


async def test_a_row_that_was_altered_is_found(process: Process, operator: Client) -> None:
    agent = await process.agent()
    model = ReadModel(process.serving.runtime, process.ground.database.engine, "patient")
    patient = await brought_in(operator, agent, "B-4", *history())
    async with process.ground.database.engine.begin() as connection:
        await connection.exec_driver_sql(
            "update patient_context.patient set data = data || '\\x00'::bytea where patient = $1",
            (patient,),
        )

    differences = {one.table: one for one in (await model.rebuilt()).differences}
    assert not differences["patient"].equal
    assert differences["patient"].changed == 1
    assert all(one.equal for name, one in differences.items() if name != "patient")
