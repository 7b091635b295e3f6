"""The played contacts, as the services have them on record."""

from typing import Any

import pytest
from e2e.conftest import Careline

SERVICES = {"identity", "conversations", "routing", "patient_context", "audit", "federation"}


@pytest.fixture(scope="session")
def played(careline: Careline) -> Any:  # noqa: ANN401
    return careline.json("demo", "--json")


def events(contact: Any, service: str) -> list[str]:  # noqa: ANN401
    return [line["event"] for line in contact["timeline"] if line["service"] == service]


def test_the_sms_contact_runs_from_the_first_text_to_the_wrap_up(played: Any) -> None:  # noqa: ANN401
    sms, _ = played["contacts"]

    said = events(sms, "conversations")
    assert said[0] == "ConversationStarted"
    order = ["PatientLinked", "ChannelJoined", "ConversationWrappedUp"]
    assert [said.index(one) for one in order] == sorted(said.index(one) for one in order)
    assert said[-1] == "ConversationClosed"
    assert said.count("ControlPassed") == 3  # the bot at the start, the queue, the agent
    assert "IdentifiersMatched" in events(sms, "identity")
    assert "CallerLevelReached" in events(sms, "identity")
    assert "OfferAccepted" in events(sms, "routing")
    assert {line["channel"] for line in sms["timeline"]} >= {"SMS", "CHAT"}


def test_every_line_says_who_did_it_and_times_do_not_go_back(played: Any) -> None:  # noqa: ANN401
    for contact in played["contacts"]:
        assert all(line["actor"] for line in contact["timeline"])
        times = [line["time"] for line in contact["timeline"]]
        assert times == sorted(times)


def test_the_screen_pop_is_on_record_as_a_disclosure_to_the_agent(played: Any) -> None:  # noqa: ANN401
    sms, _ = played["contacts"]

    shown = [one for one in sms["disclosures"] if one["service"] == "patient_context"]
    assert shown
    assert {one["patient"] for one in shown} == {played["patient"]}
    assert all(one["recipient"].startswith("agents/") for one in shown)
    assert all(one["caller_level"] == "VERIFIED" for one in shown)


def test_a_caller_who_fails_verification_is_told_nothing(played: Any) -> None:  # noqa: ANN401
    _, voice = played["contacts"]

    assert events(voice, "identity").count("IdentifiersNotMatched") == 3
    assert "CallerLevelReached" not in events(voice, "identity")
    assert events(voice, "conversations")[-1] == "ConversationClosed"
    assert voice["disclosures"] == []


def test_one_trace_runs_through_every_service_that_the_contact_touched(played: Any) -> None:  # noqa: ANN401
    sms, _ = played["contacts"]

    assert {line["service"] for line in sms["timeline"]} >= {
        "identity",
        "conversations",
        "routing",
        "patient_context",
    }
    assert len(sms["trace_id"]) == 32
