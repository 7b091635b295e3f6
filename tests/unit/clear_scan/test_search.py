"""However a needle is spelled, encoded or packed, the scan sees it."""

import base64
import gzip
import json
import os
from itertools import product
from pathlib import Path

import pytest
from e2e.clear_scan.hits import Hits
from e2e.clear_scan.needles import Category, Needle, needles_of
from e2e.clear_scan.raw_files import raw_files
from e2e.clear_scan.search import Search

PATIENT = {
    "name": [{"family": "Echevarría", "given": ["Begoña"]}],
    "telecom": [
        {"system": "phone", "value": "555-409-6930"},
        {"system": "email", "value": "begona@mail.example"},
    ],
    "address": [{"line": ["1077 Jenkins Esplanade", "Suite 33"]}],
    "identifier": [
        {"value": "a note without a type"},
        {
            "type": {"coding": [{"code": "MR"}]},
            "value": "9a628ccd-2a55-4331-8e68-bb58458fd674",
        },
        {"type": {"coding": [{"code": "SS"}]}, "value": "999-39-6702"},
        {"type": {"coding": [{"code": "DL"}]}, "value": "S99942380"},
    ],
}
NEEDLES = needles_of(PATIENT, said=["Hi, when is my next appointment?"])
IN_ORDER = sorted(NEEDLES, key=lambda needle: needle.text)  # the same in all workers
BY_TEXT = {needle.text: needle for needle in NEEDLES}


@pytest.fixture(scope="module")
def search() -> Search:
    return Search(NEEDLES)


def test_a_patient_is_known_by_each_of_the_categories() -> None:
    assert {needle.category for needle in NEEDLES} == set(Category)
    assert "a note without a type" not in BY_TEXT


@pytest.mark.parametrize("needle", IN_ORDER, ids=lambda needle: needle.text)
def test_a_needle_is_found_in_any_case_and_encoding(search: Search, needle: Needle) -> None:
    for text in {needle.text, needle.text.lower(), needle.text.upper()}:
        octets = text.encode()
        for content in (
            octets,
            octets.hex().encode(),
            octets.hex().upper().encode(),
            text.encode("utf-16-le"),
            text.encode("utf-16-be"),
        ):
            assert needle in search.needles_in(b"\0\1" + content + b"\xff" * 40), content


@pytest.mark.parametrize("needle", IN_ORDER, ids=lambda needle: needle.text)
def test_a_needle_is_found_within_anything_that_is_base64(search: Search, needle: Needle) -> None:
    for before, behind in product(range(4), range(3)):
        for text in {needle.text, needle.text.lower(), needle.text.upper()}:
            content = b"\xfb" * before + text.encode() + b"\xff" * behind
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                encoded = encode(content).rstrip(b"=")
                assert needle in search.needles_in(encoded), (before, behind, text)


@pytest.mark.parametrize(
    ("spelled", "text"),
    [
        (b"+15554096930", "555-409-6930"),
        (b"999396702", "999-39-6702"),
        (b"9A628CCD2A5543318E68BB58458FD674", "9a628ccd-2a55-4331-8e68-bb58458fd674"),
        (
            bytes.fromhex("9a628ccd2a5543318e68bb58458fd674"),
            "9a628ccd-2a55-4331-8e68-bb58458fd674",
        ),
        (b"echevarria, begona", "Echevarría"),
        (b"begona ECHEVARRIA", "Begoña Echevarría"),
        (json.dumps({"family": "Echevarría"}).encode(), "Echevarría"),
    ],
)
def test_a_needle_is_found_however_else_it_is_spelled(
    search: Search, spelled: bytes, text: str
) -> None:
    assert BY_TEXT[text] in search.needles_in(spelled)


def test_all_needles_of_some_content_are_found_and_none_that_is_not_there(search: Search) -> None:
    content = b"\0" * 4096 + b"Suite 33" + b"\0" * 4096 + "Begoña Echevarría".encode()

    found = search.needles_in(content)

    assert found == {BY_TEXT[text] for text in ("Suite 33", "Echevarría", "Begoña")} | {
        BY_TEXT["Begoña Echevarría"]
    }


def test_what_is_no_needle_is_not_found(search: Search) -> None:
    for content in (b"", b"begin", b"1077 Jenkins Lane", b"555-409-6931", os.urandom(1 << 20)):
        assert search.needles_in(content) == frozenset()
        assert search.needles_in(content) == frozenset()


def test_files_are_searched_by_name_and_unpacked(tmp_path: Path, search: Search) -> None:
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / "Echevarría.log").write_text("nothing")
    (tmp_path / "log" / "dangling").symlink_to("nowhere")
    (tmp_path / "log" / "old.log.gz").write_bytes(gzip.compress(b"x" * 999 + b"Suite 33"))
    (tmp_path / "platform.json").write_text("999-39-6702")

    hits = Hits(search)
    hits.look_through(raw_files(tmp_path))

    assert hits.by_store == {
        "names of files": frozenset({BY_TEXT["Echevarría"]}),
        "files/log": frozenset({BY_TEXT["Suite 33"]}),
        "files/platform.json": frozenset({BY_TEXT["999-39-6702"]}),
    }
