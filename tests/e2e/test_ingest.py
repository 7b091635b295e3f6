"""All of the shared patients are taken in, within the memory and the time that were promised."""

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from e2e.conftest import Careline, process_of

PATIENTS = 60
LONGEST_SECONDS = 180
LARGEST_KIB = 500 * 1000 * 1000 // 1024


@dataclass(frozen=True)
class Run:
    """What a command printed, how long it took, and the most memory it had."""

    printed: str
    seconds: float
    peak_kib: int


def run(careline: Careline, folder: Path, *arguments: str) -> Run:
    printed = folder / "printed"
    began = time.monotonic()
    with printed.open("wb") as stream:
        process = subprocess.Popen(careline.command(*arguments), stdout=stream)
    # Of this one process; getrusage(2) would tell of the largest child so far.
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0
    return Run(printed.read_text(), time.monotonic() - began, usage.ru_maxrss)


def peak_kib(process: int) -> int:
    """Give the most memory that a running process has had."""
    (line,) = (
        line
        for line in Path(f"/proc/{process}/status").read_text().splitlines()
        if line.startswith("VmHWM:")
    )
    return int(line.split()[1])


def test_all_patients_are_taken_in_and_again_is_a_no_op(
    careline: Careline, shared_data: Path, tmp_path: Path
) -> None:
    bundles = str(shared_data / "synthea_r4_bundles")

    first = run(careline, tmp_path, "ingest", bundles, "--json")
    again = run(careline, tmp_path, "ingest", bundles)

    taken_in = json.loads(first.printed)
    assert taken_in["refused"] == []
    assert taken_in["patients"] == taken_in["resources"]["Patient"] == PATIENTS
    assert f"{PATIENTS} patients (0 changed)" in again.printed
    assert first.seconds < LONGEST_SECONDS
    assert max(first.peak_kib, again.peak_kib) < LARGEST_KIB
    assert peak_kib(process_of(careline, "patient_context")) < LARGEST_KIB
