import json
from collections.abc import Callable
from pathlib import Path

import pytest
from patient_context.adapters.fhir import primitives


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ("boolean", primitives.boolean),
        ("code", primitives.code),
        ("date", primitives.fhir_date),
        ("string", primitives.text),
        ("uri", primitives.uri),
    ],
)
def test_primitives_are_as_strict_as_the_specification(
    shared_data: Path, kind: str, read: Callable[[object], object]
) -> None:
    vectors = shared_data / "fhir_primitive_vectors"
    for line in (vectors / f"{kind}.valid.ndjson").read_text().splitlines():
        if (value := json.loads(line)) is not None:
            assert read(value) == value
    for line in (vectors / f"{kind}.invalid.ndjson").read_text().splitlines():
        # Vectors as `t` are no JSON at all.
        try:
            value = json.loads(line)
        except json.JSONDecodeError:
            continue
        with pytest.raises(ValueError, match=r"^[a-z].*"):
            read(value)


@pytest.mark.parametrize("day", ["2024-02-30", "2023-02-29", "0000", "2024-13", "2024-1-1", "24"])
def test_a_day_that_no_calendar_has_is_no_date(day: str) -> None:
    with pytest.raises(ValueError, match="not a FHIR date"):
        primitives.fhir_date(day)


@pytest.mark.parametrize(
    "moment",
    ["2024", "2024-02-29", "2024-02-29T23:59:60Z", "2024-02-29T10:00:00.123456789+14:00"],
)
def test_a_date_time_may_say_less_or_more(moment: str) -> None:
    assert primitives.date_time(moment) == moment


@pytest.mark.parametrize(
    "moment",
    ["2024-02-29T10:00Z", "2024-02-29T10:00:00", "2024-02-29 10:00:00Z", "2024-02-29T24:00:00Z"],
)
def test_a_date_time_with_a_time_has_seconds_and_zone(moment: str) -> None:
    with pytest.raises(ValueError, match="not a FHIR dateTime"):
        primitives.date_time(moment)


def test_an_instant_is_a_moment_and_no_day() -> None:
    assert primitives.instant("2024-02-29T10:00:00Z")
    with pytest.raises(ValueError, match="not a FHIR instant"):
        primitives.instant("2024-02-29")


@pytest.mark.parametrize("value", ["a\x00b", "a\x1fb", "\ud800", "x" * 2049, " ", 1, True, None])
def test_no_text_has_control_characters_or_is_endless(value: object) -> None:
    with pytest.raises(ValueError, match=r"string|longer") as refused:
        primitives.text(value)
    assert "x" * 20 not in str(refused.value)


@pytest.mark.parametrize("value", ["", "a" * 65, "a b", "ä", "a/b", 1])
def test_an_id_is_up_to_64_letters_digits_dots_and_hyphens(value: object) -> None:
    with pytest.raises(ValueError, match="not a FHIR id"):
        primitives.resource_id(value)
