"""Whatever a resource holds, it is read or refused: nothing else is raised, no value is told."""

import copy
import json
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from patient_context.adapters.fhir.not_fhir import NotFhir
from patient_context.adapters.fhir.resource import read_resource
from patient_context.adapters.fhir.resource_types import RESOURCE_TYPES
from patient_context.adapters.fhir.structure import READ_TYPES
from unit.patient_context.fhir import NOW, Json

MARK = "Zzyzx"
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.sampled_from([MARK, "", "2024", "active", "Patient/1", "{", '{"a":1}', "[" * 50]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([MARK, "url", "value", "resourceType", "id"]), inner)
    ),
    max_leaves=8,
)


def test_there_are_146_types() -> None:
    assert len(RESOURCE_TYPES) == 146
    assert READ_TYPES < RESOURCE_TYPES


def _examples(shared_data: Path) -> list[Json]:
    found = []
    for folder in ("hl7_r4_examples", "us_core_examples"):
        for path in sorted((shared_data / folder).glob("*.json")):
            resource = json.loads(path.read_bytes())
            if resource["resourceType"] in READ_TYPES:
                found.append(resource)
    return found


def test_the_official_examples_are_all_read(shared_data: Path) -> None:
    examples = _examples(shared_data)
    assert len(examples) >= 30
    for resource in examples:
        read = read_resource(resource, None, NOW)
        assert read.resource_type == resource["resourceType"]


def _places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    places = [path] if path else []
    if isinstance(value, dict):
        for name, inner in value.items():
            places += _places(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            places += _places(inner, (*path, number))
    return places


def _put(resource: Json, path: tuple[Any, ...], value: object) -> Json:
    changed = copy.deepcopy(resource)
    at: Any = changed
    for step in path[:-1]:
        at = at[step]
    at[path[-1]] = value
    return changed


@settings(
    max_examples=400,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_changed_example_is_read_or_refused_without_its_values(
    shared_data: Path, data: st.DataObject
) -> None:
    resource = data.draw(st.sampled_from(_cached(shared_data)))
    path = data.draw(st.sampled_from(_places(resource)))
    changed = _put(resource, path, data.draw(JSON))
    try:
        read_resource(changed, None, NOW)
    except NotFhir as refused:
        assert MARK not in str(refused)  # noqa: PT017  a resource may be good, too


@pytest.mark.parametrize("value", [None, 7, "Patient", [], [{}], {}, {"resourceType": ["Patient"]}])
def test_what_is_no_resource_is_refused(value: object) -> None:
    with pytest.raises(NotFhir):
        read_resource(value, None, NOW)


@pytest.mark.parametrize("value", [[{}] * 200_000, [{"a": [1] * 999}] * 999, {"a": [[]] * 30_000}])
def test_a_resource_of_endless_values_is_refused_without_looking_at_each(value: object) -> None:
    began = time.thread_time()
    with pytest.raises(NotFhir, match="more than 20000 values"):
        read_resource({"resourceType": "Patient", "id": "p", "contact": value}, None, NOW)
    assert time.thread_time() - began < 0.5


_CACHE: dict[Path, list[Json]] = {}


def _cached(shared_data: Path) -> list[Json]:
    if shared_data not in _CACHE:
        _CACHE[shared_data] = _examples(shared_data)
    return _CACHE[shared_data]
