"""The `careline` command on a running platform."""

import json
import os
import subprocess
import time
from collections import Counter

import grpc
import pytest
from careline_cli.reflection import ReflectingClient
from e2e.conftest import COMMAND_SECONDS, Careline
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (
    ProtoReflectionDescriptorDatabase,
)

OWN = {
    "identity": {"AgentService", "TokenService", "CallerVerificationService"},
    "conversations": {"ConversationService", "CallService", "DeliveryService"},
    "routing": {"RoutingService", "AgentDeskService", "QueueService"},
    "patient_context": {"PatientService", "IngestService", "ConsentService"},
    "audit": {"AuditService"},
    "federation": {"PartnerService"},
}


def test_status_says_that_every_service_serves(careline: Careline) -> None:
    status = careline.json("status", "--json")

    assert {one["service"]: one["status"] for one in status["services"]} == dict.fromkeys(
        OWN, "SERVING"
    )


def test_reflection_lists_every_service(careline: Careline) -> None:
    for service, address in careline.addresses["services"].items():
        with grpc.insecure_channel(address) as channel:
            listed = set(ProtoReflectionDescriptorDatabase(channel).get_services())

        assert listed >= {f"careline.{service}.v1.{name}" for name in OWN[service]}
        assert listed >= {"careline.log.v1.LogService", "grpc.health.v1.Health"}


def test_a_call_by_reflection_prints_the_answer_as_json(careline: Careline) -> None:
    answer = careline.json("call", "careline.routing.v1.QueueService/ListQueues")

    assert [queue["name"] for queue in answer["queues"]] == ["queues/appointments"]


def printed_line(careline: Careline, program: str) -> str:
    """Give the line with a program's name that `careline up` printed for people to copy."""
    deadline = time.monotonic() + COMMAND_SECONDS
    while time.monotonic() < deadline:
        for line in (careline.data_dir / "log" / "supervisor.log").read_text().splitlines():
            if program in line and "ListQueues" in line:
                return line
    raise AssertionError(f"no line with {program} was printed")


def in_a_shell(line: str) -> str:
    done = subprocess.run(
        ("/bin/sh", "-c", line),
        capture_output=True,
        text=True,
        timeout=COMMAND_SECONDS,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_printed_careline_line_works_as_printed(careline: Careline) -> None:
    answer = json.loads(in_a_shell(printed_line(careline, "careline_cli")))

    assert answer["queues"][0]["name"] == "queues/appointments"


def test_the_printed_grpcurl_line_is_one_that_the_service_answers(careline: Careline) -> None:
    """The shell fills in what the line says; what grpcurl would then send is sent."""
    recorder = "grpcurl() { printf '%s\\0' \"$@\"; }; "
    line = printed_line(careline, "grpcurl")

    *given, _ = in_a_shell(recorder + line).split("\0")

    plaintext, max_time, seconds, h1, tenant, h2, token, d, body, address, method = given
    assert (plaintext, max_time, h1, h2, d) == ("-plaintext", "-max-time", "-H", "-H", "-d")
    headers = dict(header.split(": ", 1) for header in (tenant, token))
    with grpc.insecure_channel(address) as channel:
        (answer,) = ReflectingClient(channel).call(
            method, json.loads(body), metadata=headers, seconds=float(seconds)
        )
    assert str(answer["queues"]).startswith("[{'name': 'queues/appointments'")


def test_a_refused_call_is_one_line_with_its_reason(careline: Careline) -> None:
    refused = careline.attempt(
        "call", "careline.routing.v1.RoutingService/GetPosition", '{"contact": "contacts/none"}'
    )

    assert refused.returncode == 1
    assert "DENIED_OR_ABSENT" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_what_does_not_fit_a_method_is_said_before_it_is_sent(careline: Careline) -> None:
    for arguments, word in (
        (("careline.routing.v1.QueueService/Nothing",), "no method"),
        (("careline.routing.v1.NoService/List",), "no service"),
        (("careline.routing.v1.QueueService/ListQueues", "{"), "no JSON"),
        (("careline.routing.v1.QueueService/ListQueues", '{"pagesize": 1}'), "does not fit"),
    ):
        refused = careline.attempt("call", *arguments)

        assert refused.returncode == 1
        assert word in refused.stderr


def test_a_token_of_each_demo_principal_is_printed_alone(careline: Careline) -> None:
    for who in ("operator", "agent", "frontend"):
        assert careline.run("token", who).strip().count(".") == 2


def test_events_print_what_is_sealed_as_sealed(careline: Careline) -> None:
    lines = careline.run("events", "--service", "identity", "--json").splitlines()

    created = [one for one in map(json.loads, lines) if one["type"].endswith("AgentCreated")]
    assert created
    assert created[0]["data"]["sealed"] == ["user_name", "display_name"]
    assert "Demo Agent" not in "".join(lines)


def test_a_stream_is_printed_as_it_was_at_a_position_and_a_time(careline: Careline) -> None:
    def printed(*options: str) -> list[dict[str, object]]:
        return [json.loads(one) for one in careline.run("events", "--json", *options).splitlines()]

    longest = Counter(str(one["stream"]) for one in printed("--service", "identity"))
    stream, count = longest.most_common(1)[0]
    assert count > 1
    events = printed("--service", "identity", "--stream", stream)
    first = events[0]

    by_position = printed(
        "--service", "identity", "--stream", stream, "--as-of", str(first["position"])
    )
    by_time = printed("--stream", stream, "--as-of", str(first["time"]))

    assert by_position == events[:1]
    assert by_time == [one for one in events if str(one["time"]) <= str(first["time"])]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--stream", "conversations/1", "--as-of", "5"), "--service"),
        (("--service", "routing", "--as-of", "5"), "--stream"),
        (("--stream", "conversations/1", "--as-of", "yesterday"), "2026-03-01T12:00:00Z"),
    ],
)
def test_a_moment_that_says_nothing_is_refused(
    careline: Careline, options: tuple[str, ...], said: str
) -> None:
    refused = careline.attempt("events", *options)

    assert refused.returncode != 0
    assert said in refused.stderr


def test_a_reader_that_has_seen_enough_ends_the_command_without_a_word(
    careline: Careline,
) -> None:
    with subprocess.Popen(
        careline.command("events", "--json"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())["position"] >= 1
        process.stdout.close()
        said = process.stderr.read()

    assert process.returncode == 1
    assert said == ""


def test_the_operators_look_at_a_log_is_on_record(careline: Careline) -> None:
    careline.run("events", "--service", "routing")

    lines = careline.run("events", "--service", "routing", "--json").splitlines()
    reads = [one for one in map(json.loads, lines) if one["type"].endswith("LogRead")]
    assert reads[0]["data"]["reader"]["name"] == "operators/local"


def test_a_second_platform_on_the_same_folder_is_refused(careline: Careline) -> None:
    refused = careline.attempt("up")

    assert refused.returncode == 1
    assert "careline down" in refused.stderr
