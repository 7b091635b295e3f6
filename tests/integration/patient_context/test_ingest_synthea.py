"""The Synthea bundles and the bulk export go in whole, and again change nothing."""

from pathlib import Path

from integration.patient_context.rig import NDJSON, OTHER, Ground, Process

PATIENTS = 60


async def test_all_bundles_go_in_and_again_change_nothing(
    process: Process, ground: Ground, shared_data: Path
) -> None:
    operator = await process.operator()
    files = sorted((shared_data / "synthea_r4_bundles").iterdir())
    answers = await operator.bring(*files)
    assert [answer.file for answer in answers] == list(range(len(files)))
    assert not [refused for answer in answers for refused in answer.refused]
    assert sum(answer.patients for answer in answers) == PATIENTS
    assert sum(answer.changed for answer in answers) == PATIENTS
    assert sum(answer.resources["Encounter"] for answer in answers) == 1055
    assert await ground.count("patient") == PATIENTS
    assert max(len(event.data) for event in await process.events()) < 256 * 1024

    before = len(await process.events())
    again = await operator.bring(*files)
    assert sum(answer.patients for answer in again) == PATIENTS
    assert sum(answer.changed for answer in again) == 0
    assert len(await process.events()) == before


async def test_an_export_is_joined_across_its_files(
    process: Process, ground: Ground, shared_data: Path
) -> None:
    operator = await process.operator(OTHER)
    files = sorted((shared_data / "bulk_export_10").iterdir())
    answers = await operator.bring(*files, kind=NDJSON)
    assert not [refused for answer in answers for refused in answer.refused]
    assert sum(answer.patients for answer in answers) == 13
    assert sum(answer.changed for answer in answers) == 13
    assert await ground.count("patient", OTHER) == 13
    again = await operator.bring(*reversed(files), kind=NDJSON)
    assert sum(answer.changed for answer in again) == 0
