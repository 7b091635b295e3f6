from collections.abc import Sequence
from uuid import UUID

import pytest
from careline.patient_context.events.v1.events_pb2 import (
    ClinicalEntry,
    ContactPoint,
    Demographics,
    PersonName,
)
from hypothesis import given
from hypothesis import strategies as st
from patient_context.application.content import (
    LARGEST_PART,
    MOST_ENTRIES_A_PART,
    Content,
    Contents,
    canonical,
)
from patient_context.application.source_patient import SourceId, SourcePatient

TEXTS = st.text(max_size=6)
PERSONS = st.builds(
    Demographics,
    birth_date=TEXTS,
    names=st.lists(st.builds(PersonName, family_name=TEXTS, given_names=st.lists(TEXTS))),
    telecoms=st.lists(st.builds(ContactPoint, system=TEXTS, value=TEXTS)),
)


class Keys:
    """Derives a key a tenant and purpose."""

    async def index_key(self, tenant: str, purpose: str) -> bytes:
        return f"{tenant}/{purpose}".encode().ljust(32, b"\0")


async def content(
    *entries: ClinicalEntry,
    tenant: str = "demo",
    source: SourceId = SourceId("http://hospital.example", "4711"),  # noqa: B008  frozen
    deceased: bool = False,
) -> Content:
    person = Demographics(birth_date="1972-03-03")
    return await Contents(Keys()).of(tenant, SourcePatient(source, person, deceased, entries))


def entries(count: int, size: int = 10) -> Sequence[ClinicalEntry]:
    return [
        ClinicalEntry(resource_type="Condition", resource_id=str(number), display="x" * size)
        for number in range(count)
    ]


async def test_a_patient_has_one_name_a_tenant_that_tells_nothing_of_the_number() -> None:
    first, again = await content(), await content()
    assert first.patient == again.patient
    identifier = first.patient.removeprefix("patients/")
    assert str(UUID(identifier)) == identifier
    assert "4711" not in first.patient
    others = [
        await content(tenant="other"),
        await content(source=SourceId("http://hospital.example", "4712")),
        await content(source=SourceId("http://clinic.example", "4711")),
        await content(source=SourceId("", "4711")),
    ]
    assert len({first.patient, *(one.patient for one in others)}) == 5


@pytest.mark.parametrize("written", ["ab-47 11", "AB4711", "\uff41\uff424711"])
async def test_a_number_is_the_same_however_it_is_written(written: str) -> None:
    one = await content(source=SourceId("http://hospital.example", "ab4711"))
    assert (await content(source=SourceId("http://hospital.example", written))).patient == (
        one.patient
    )


async def test_a_number_of_signs_only_is_compared_as_it_stands() -> None:
    assert (await content(source=SourceId("x", "--"))).patient != (
        await content(source=SourceId("x", "---"))
    ).patient


async def test_the_order_of_entries_makes_no_difference() -> None:
    some = entries(250)
    assert (await content(*some)).taken == (await content(*reversed(some))).taken


async def test_digests_tell_apart_what_is_different_and_tenants() -> None:
    base = await content(*entries(2))
    assert (await content(*entries(3))).taken.record_digest != base.taken.record_digest
    other = await content(*entries(2), tenant="other")
    assert other.taken.record_digest != base.taken.record_digest
    died = await content(deceased=True)
    assert died.taken.demographics_digest != base.taken.demographics_digest


async def test_no_entries_say_nothing_of_the_record() -> None:
    assert (await content()).taken.parts is None


@pytest.mark.parametrize(("count", "size"), [(1, 10), (100, 10), (101, 10), (250, 10), (120, 2000)])
async def test_parts_are_bounded_by_number_and_size(count: int, size: int) -> None:
    parts = (await content(*entries(count, size))).taken.parts
    assert parts is not None
    assert sum(map(len, parts)) == count
    assert max(map(len, parts)) <= MOST_ENTRIES_A_PART
    assert all(sum(one.ByteSize() for one in part) <= LARGEST_PART for part in parts)


@given(PERSONS, PERSONS)
def test_canonical_bytes_are_equal_exactly_when_messages_are(
    one: Demographics, other: Demographics
) -> None:
    assert (canonical(one) == canonical(other)) == (one == other)
