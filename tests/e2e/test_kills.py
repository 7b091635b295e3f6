"""Any one process is killed while a contact is played: the contact goes on, nothing is lost."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest
from e2e.conftest import COMMAND_SECONDS, Careline, process_of

# What the contact has reached when the process is killed, and which process.
MOMENTS = [
    ("IdentifiersMatched", "identity"),
    ("VerificationCodeSent", "conversations"),
    ("ContactOffered", "routing"),
    ("ContactEnqueued", "patient_context"),
    ("PatientLinked", "audit"),
    ("PatientLinked", "federation"),
    ("ConversationStarted", "postgres"),
    ("IdentifiersMatched", "keyring"),
    ("ContactEnqueued", "nats"),
    ("VerificationStarted", "openbao"),
]


def follow(careline: Careline) -> subprocess.Popen[str]:
    return subprocess.Popen(
        careline.command("events", "--follow", "--json"), stdout=subprocess.PIPE, text=True
    )


@pytest.fixture
def events(careline: Careline) -> Iterator[subprocess.Popen[str]]:
    with follow(careline) as process:
        yield process
        process.kill()


@pytest.mark.parametrize(("moment", "victim"), MOMENTS, ids=[name for _, name in MOMENTS])
def test_the_contact_goes_on_when_a_process_is_killed(
    careline: Careline, events: subprocess.Popen[str], moment: str, victim: str
) -> None:
    seen = {line["event_id"] for line in known(careline)}
    with subprocess.Popen(
        careline.command("demo", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as demo:
        assert events.stdout is not None
        for line in events.stdout:
            event = json.loads(line)
            if event["event_id"] not in seen and event["type"].endswith(f".{moment}"):
                break
        os.kill(process_of(careline, victim), signal.SIGKILL)
        out, error = demo.communicate(timeout=COMMAND_SECONDS)

    assert demo.returncode == 0, error
    sms, voice = json.loads(out)["contacts"]
    happened = [line["event"] for line in sms["timeline"]]
    assert happened.count("ConversationClosed") == happened.count("ContactCompleted") == 1
    assert len(sms["disclosures"]) >= 1
    assert voice["disclosures"] == []


def known(careline: Careline) -> list[dict[str, str]]:
    return [json.loads(line) for line in careline.run("events", "--json").splitlines()]
