import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from patient_context.adapters.fhir.export import Export
from patient_context.adapters.fhir.line_reader import LineReader
from patient_context.adapters.fhir.not_fhir import NotFhir
from patient_context.adapters.fhir.patients import Joined
from patient_context.adapters.fhir.spill import PARTITIONS, Spill, SpillFull, require_writable
from patient_context.adapters.fhir.strict_json import LARGEST_RESOURCE
from unit.patient_context.fhir import NOW, Json, condition, patient, record_number

PATIENTS = [patient(), patient(id="p2", identifier=[record_number("4712")])]
CONDITIONS = [
    condition(),
    condition(id="c2", subject={"reference": "https://ehr.example/Patient/p2"}),
]


@pytest.fixture(params=[1 << 20, 1], ids=["in memory", "on disk"])
def spill(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Spill]:
    with Spill(tmp_path, in_memory=request.param, at_most=1 << 20) as spill:
        yield spill


def _export(spill: Spill, *files: list[Json] | bytes) -> tuple[Export, list[Joined]]:
    export = Export(spill, NOW)
    for number, file in enumerate(files):
        content = file if isinstance(file, bytes) else "\n".join(map(json.dumps, file)).encode()
        export.open(number)
        for _ in export.feed(number, content, last=True):
            if export.spill_is_due:
                export.spill_now()
    return export, [one for number in range(PARTITIONS) for one in export.join(number)]


def test_patients_and_what_is_about_them_may_stand_in_different_files(spill: Spill) -> None:
    export, joined = _export(spill, CONDITIONS, PATIENTS)
    assert {
        one.patient.source.value: [entry.resource_id for entry in one.patient.entries]
        for one in joined
    } == {"4711": ["c1"], "4712": ["c2"]}
    assert [one.patients for one in export.outcomes.values()] == [0, 2]
    assert not any(one.refused for one in export.outcomes.values())


def test_refusals_say_file_and_line(spill: Spill) -> None:
    lines = (
        b'{"resourceType":"Condition"}\n\nno json\n'
        + json.dumps(condition(subject={"reference": "Patient/nobody"})).encode()
    )
    export, _ = _export(spill, PATIENTS, lines, [{"resourceType": "Bundle", "type": "batch"}])
    refused = [one for outcome in export.outcomes.values() for one in outcome.refused]
    assert sorted((one.where.file, one.where.line, one.where.path) for one in refused) == [
        (1, 1, "Condition.subject"),
        (1, 3, ""),
        (1, 4, "Condition.subject"),
        (2, 1, "Bundle"),
    ]


def test_a_resource_that_comes_again_counts_as_it_came_last(spill: Spill) -> None:
    again = condition(onsetDateTime="2001")
    _, joined = _export(spill, PATIENTS[:1], [condition(), again])
    (entry,) = joined[0].patient.entries
    assert entry.start == "2001"


def test_nothing_is_readable_on_disk_and_nothing_is_left(tmp_path: Path) -> None:
    with Spill(tmp_path, in_memory=1, at_most=1 << 20) as spill:
        export = Export(spill, NOW)
        export.open(0)
        for _ in export.feed(0, json.dumps(PATIENTS[0]).encode(), last=True):
            export.spill_now()
        assert list(tmp_path.iterdir()) == []
        file = spill._file
        assert file is not None
        file.seek(0)
        content = file.read()
        assert content
        assert b"4711" not in content
        assert "Ordóñez".encode() not in content
    assert file.closed


def test_a_directory_that_can_not_be_written_is_refused_with_what_to_do(tmp_path: Path) -> None:
    require_writable(tmp_path)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(OSError, match="CARELINE_SPILL_DIRECTORY"):
        require_writable(tmp_path / "absent")


def test_a_spill_is_bounded(tmp_path: Path) -> None:
    with (
        Spill(tmp_path, in_memory=1 << 20, at_most=3_000) as spill,
        pytest.raises(SpillFull),
    ):
        _export(spill, PATIENTS * 20)


@given(
    st.lists(st.tuples(st.text(max_size=4), st.lists(st.binary(max_size=40), max_size=5))),
    st.sets(st.integers(0, 60)),
)
@settings(max_examples=60, deadline=None)
def test_a_spill_gives_back_what_it_took_key_by_key(
    items: list[tuple[str, list[bytes]]], written_after: set[int]
) -> None:
    with Spill(Path("/tmp"), in_memory=1 << 20, at_most=1 << 20) as spill:  # noqa: S108  no name
        for number, (key, item) in enumerate(items):
            spill.put(key, [key.encode(), *item])
            if number in written_after:
                spill.write_out()
        partitions = [list(spill.partition(number)) for number in range(PARTITIONS)]
    given_back = [item for partition in partitions for item in partition]
    assert sorted(given_back) == sorted([key.encode(), *item] for key, item in items)
    for about in {key.encode() for key, _ in items}:
        holding = [one for one in partitions if any(item[0] == about for item in one)]
        assert len(holding) == 1
        mine = [item[1:] for item in holding[0] if item[0] == about]
        assert mine == [item for other, item in items if other.encode() == about]


def _lines(content: bytes, part: int) -> list[tuple[int, object]]:
    reader = LineReader()
    cut = range(0, max(len(content), 1), part)
    return [
        line
        for begin in cut
        for line in reader.feed(content[begin : begin + part], last=begin + part >= len(content))
    ]


@given(st.lists(st.integers() | st.text() | st.none(), max_size=8), st.integers(1, 30))
def test_lines_read_the_same_however_they_are_cut(values: list[object], part: int) -> None:
    content = "\r\n".join(json.dumps(value) for value in values).encode()
    assert _lines(content, part) == list(enumerate(values, start=1))


def test_a_line_longer_than_we_take_is_passed_over_in_bounded_memory() -> None:
    reader = LineReader()
    found: list[tuple[int, object]] = list(reader.feed(b'{"a":1}\n', last=False))
    for _ in range(100):
        found += reader.feed(b"x" * (1 << 20), last=False)
        assert len(reader._rest) <= LARGEST_RESOURCE + (1 << 20)
    found += reader.feed(b'\n{"b":2}', last=True)
    assert [number for number, _ in found] == [1, 2, 3]
    assert isinstance(found[1][1], NotFhir)
    assert found[2][1] == {"b": 2}


@pytest.mark.parametrize("line", [b"{} {}", b"{]", b"\xff", b"[" * 100_000, b"NaN", b'"\x01"'])
def test_a_line_that_is_no_json_is_named_and_the_next_is_read(line: bytes) -> None:
    (_, fault), (_, value) = _lines(line + b"\n7", 1 << 20)
    assert isinstance(fault, NotFhir)
    assert value == 7


def test_a_byte_order_mark_is_passed_over() -> None:
    assert _lines(b"\xef\xbb\xbf7\n", 1 << 20) == [(1, 7)]
