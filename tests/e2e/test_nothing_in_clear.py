"""What a person is called, where he lives and what was said lies nowhere in clear."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e.conftest import Careline

PATIENT = "Abdul_Koepp_e925b0f3-8006-43f6-aa31-94bd215e55e7.json"
SAID = ("when is my next appointment", "what to bring, too", "insurance card")
SHORTEST = 5


@pytest.fixture(scope="session")
def bundle(careline: Careline, shared_data: Path) -> Path:
    file = shared_data / "synthea_r4_bundles" / PATIENT
    taken_in = careline.json("ingest", str(file), "--json")
    assert taken_in["refused"] == []
    return file


def needles(bundle: Path) -> Iterator[str]:
    """Give what must not be found of the patient: names, phones, e-mails, streets, MRN, SSN."""
    entries = json.loads(bundle.read_text())["entry"]
    patient = next(
        one["resource"] for one in entries if one["resource"]["resourceType"] == "Patient"
    )
    for name in patient["name"]:
        yield name["family"]
        yield f"{name['given'][0]} {name['family']}"
    for telecom in patient.get("telecom", []):
        yield telecom["value"]
        yield "".join(filter(str.isdigit, telecom["value"]))
    for address in patient["address"]:
        yield from address["line"]
    for identifier in patient["identifier"]:
        yield identifier["value"]


def variants(needle: str) -> Iterator[bytes]:
    """Give a needle as bytes, in hexadecimal, and as any base64 text that contains it."""
    for text in {needle, needle.lower(), needle.upper()}:
        plain = text.encode()
        yield plain
        yield plain.hex().encode()
        for shift in range(3):
            # Of a text that begins elsewhere in a group of three, the inner groups stay the same.
            encoded = base64.b64encode(b"\0" * shift + plain)
            inner = encoded[4 if shift else 0 : -4 if len(encoded) > 8 else None].rstrip(b"=")
            if len(inner) >= 2 * SHORTEST:
                yield inner


def files(folder: Path) -> Iterator[Path]:
    yield from (path for path in folder.rglob("*") if path.is_file())


def found(folder: Path, wanted: dict[bytes, str]) -> set[tuple[str, str]]:
    hits: set[tuple[str, str]] = set()
    for path in files(folder):
        name = str(path.relative_to(folder)).encode()
        content = path.read_bytes()
        for needle, of in wanted.items():
            if needle in content or needle in name:
                hits.add((str(path.relative_to(folder)), of))
    return hits


def test_no_file_of_a_running_platform_holds_a_patients_identifiers_or_words(
    careline: Careline, bundle: Path
) -> None:
    entries = json.loads(bundle.read_text())["entry"]
    patient = next(
        one["resource"] for one in entries if one["resource"]["resourceType"] == "Patient"
    )
    name = patient["name"][0]
    full_name = f"{' '.join(name['given'])} {name['family']}"
    careline.json("demo", "--patient", full_name, "--json")

    wanted = {
        variant: needle
        for needle in {*needles(bundle), *SAID}
        if len(needle) >= SHORTEST
        for variant in variants(needle)
    }

    assert found(careline.data_dir, wanted) == set()
