"""Patients are found by blind indexes; each who is shown is a disclosure."""

from typing import Any

import pytest
from careline.patient_context.v1.consent_service_pb2 import Consent, RecordConsentRequest
from careline.patient_context.v1.patient_service_pb2 import FindPatientsRequest
from integration.patient_context.people import brought_in, found, person
from integration.patient_context.rig import DEMO, OTHER, Client, Process
from integration.refusals import refusal, request_id

BORN = "1972-03-03"


@pytest.fixture(scope="module")
async def agent(process: Process) -> Client:
    return await process.agent()


@pytest.fixture(scope="module")
async def people(process: Process, agent: Client) -> list[str]:
    """Three who share a phone; the third was born Ibarra."""
    operator = await process.operator()
    names = [await brought_in(operator, agent, f"F-{number}") for number in range(2)]
    maiden = [
        {"use": "official", "family": "Le Guin", "given": ["Ursula"]},
        {"use": "maiden", "family": "Ibarra-Kroeber"},
    ]
    (answer,) = await operator.bring(person("F-2", name=maiden, birthDate="1929-10-21"))
    assert answer.changed == 1
    return names + await found(agent, medical_record_number="F-2")


async def test_a_phone_finds_all_who_have_it_page_by_page(agent: Client, people: list[str]) -> None:
    seen: list[str] = []
    token = ""
    while True:
        answer = await agent.patients.FindPatients(
            FindPatientsRequest(phone="(617) 555-0123", page_size=2, page_token=token)
        )
        seen += [one.name for one in answer.patients]
        token = answer.next_page_token
        if not token:
            break
    assert sorted(seen) == sorted(people)


@pytest.mark.parametrize(
    ("asked", "places"),
    [
        ({"medical_record_number": "f 1"}, [1]),
        ({"person_name": "ordonez jose maria", "birth_date": BORN}, [0, 1]),
        ({"person_name": "MARÍA", "birth_date": BORN}, [0, 1]),
        ({"person_name": "Guin", "birth_date": "1929-10-21"}, [2]),
        ({"person_name": "ursula ibarra", "birth_date": "1929-10-21"}, [2]),
        ({"phone": "617-555-0123", "person_name": "Ursula"}, [2]),
        ({"person_name": "Ursula", "birth_date": "1929-10-22"}, []),
        ({"person_name": "Ursula Smith", "birth_date": "1929-10-21"}, []),
        ({"phone": "617-555-0124"}, []),
        ({"medical_record_number": "F-9"}, []),
    ],
)
async def test_patients_are_found_by_what_they_say(
    agent: Client, people: list[str], asked: dict[str, Any], places: list[int]
) -> None:
    assert sorted(await found(agent, **asked)) == sorted(people[place] for place in places)


async def test_only_what_tells_candidates_apart_is_shown_and_each_is_on_record(
    process: Process, agent: Client, people: list[str]
) -> None:
    before = await process.disclosures()
    answer = await agent.patients.FindPatients(FindPatientsRequest(phone="617-555-0123"))
    assert {one.name for one in answer.patients} == set(people)
    for one in answer.patients:
        assert {field.name for field, _ in one.ListFields()} == {
            "name",
            "display_name",
            "birth_date",
        }
    new = (await process.disclosures())[len(before) :]
    assert sorted(one.patient for one in new) == sorted(people)
    assert {tuple(one.resource_types) for one in new} == {("Patient",)}


async def test_whoever_is_not_shown_is_not_on_record(process: Process, agent: Client) -> None:
    before = await process.disclosures()
    assert await found(agent, medical_record_number="nobody-1") == []
    assert await process.disclosures() == before


async def test_whoever_forbids_it_is_not_there(process: Process, agent: Client) -> None:
    operator = await process.operator()
    name = await brought_in(operator, agent, "F-7")
    await operator.consents.RecordConsent(
        RecordConsentRequest(
            request_id=request_id(),
            consent=Consent(
                patient=name, decision=Consent.DECISION_DENY, purposes_of_use=["HOPERAT"]
            ),
        )
    )
    assert await found(agent, medical_record_number="F-7") == [name]
    other = await process.agent(purpose="HOPERAT")
    assert await found(other, medical_record_number="F-7") == []


@pytest.mark.parametrize(
    "asked",
    [{}, {"person_name": "Ordóñez"}, {"person_name": "José Ordóñez"}, {"birth_date": BORN}],
)
async def test_a_search_that_names_too_little_is_too_broad(
    agent: Client, asked: dict[str, Any]
) -> None:
    call = agent.patients.FindPatients(FindPatientsRequest(**asked))
    assert await refusal(call) == "SEARCH_TOO_BROAD"


async def test_registration_may_look_by_a_full_name_alone(
    process: Process, people: list[str]
) -> None:
    operator = await process.operator(purpose="PATRQT")
    assert await found(operator, person_name="Ursula Le Guin") == [people[2]]
    call = operator.patients.FindPatients(FindPatientsRequest(person_name="Guin"))
    assert await refusal(call) == "SEARCH_TOO_BROAD"


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"phone": "911"}, "FIELD_INVALID"),
        ({"medical_record_number": "-"}, "FIELD_INVALID"),
        ({"person_name": "x", "birth_date": "3/3/1972"}, "FIELD_INVALID"),
        ({"person_name": "x" * 500, "birth_date": BORN}, "FIELD_INVALID"),
        ({"phone": "617-555-0123", "page_size": -1}, "FIELD_INVALID"),
        ({"phone": "617-555-0123", "page_token": "!!"}, "PAGE_TOKEN_INVALID"),
    ],
)
async def test_what_can_not_be_read_is_refused(
    agent: Client, asked: dict[str, Any], reason: str
) -> None:
    assert await refusal(agent.patients.FindPatients(FindPatientsRequest(**asked))) == reason


async def test_a_page_token_is_of_its_search_alone(agent: Client, people: list[str]) -> None:
    first = await agent.patients.FindPatients(
        FindPatientsRequest(phone="617-555-0123", page_size=1)
    )
    assert people
    call = agent.patients.FindPatients(
        FindPatientsRequest(medical_record_number="F-1", page_token=first.next_page_token)
    )
    assert await refusal(call) == "PAGE_TOKEN_INVALID"


async def test_changed_data_are_found_and_old_ones_no_more(process: Process, agent: Client) -> None:
    operator = await process.operator()
    name = await brought_in(operator, agent, "F-8")
    (answer,) = await operator.bring(person("F-8").replace(b"6175550123", b"6175550177"))
    assert answer.changed == 1
    assert await found(agent, phone="617-555-0177") == [name]
    assert name not in await found(agent, phone="617-555-0123")


async def test_two_tenants_see_nothing_of_each_other(process: Process, agent: Client) -> None:
    theirs = await process.agent(tenant=OTHER)
    mine = await brought_in(await process.operator(), agent, "T-1")
    their = await brought_in(await process.operator(OTHER), theirs, "T-1")
    assert mine != their
    assert await found(agent, medical_record_number="T-1") == [mine]
    assert await found(theirs, medical_record_number="T-1") == [their]
    assert mine not in {one.patient for one in await process.disclosures(tenant=OTHER)}
    tokens = await process.ground.rows("select tenant, token from patient_context.patient_token")
    demo = {row.token for row in tokens if row.tenant == DEMO}
    other = {row.token for row in tokens if row.tenant == OTHER}
    assert demo
    assert other
    assert not demo & other
