"""Log lines: JSON, public, and silent about everything else."""

import json
import logging
from collections.abc import Iterator
from io import StringIO
from typing import Any
from uuid import UUID

import pytest
from careline.identity.v1.token_service_pb2 import IssueServiceTokenRequest
from messaging.denials import PermissionDenied
from messaging.failures import stuck_by
from messaging.stuck import Reason, Stuck
from runtime.principal import PrincipalKind
from runtime.request_context import RequestContext, acting_in
from runtime.telemetry.logs import JsonHandler

CANARY = "Jane Doe 12345678"
TENANT_REQUEST = RequestContext("a.b", "S/M", None, "demo", None, 0, "c")


@pytest.fixture
def stream() -> Iterator[StringIO]:
    handler = JsonHandler("identity", StringIO())
    logging.getLogger().addHandler(handler)
    yield handler.stream  # type: ignore[misc]  # a StringIO, as given
    logging.getLogger().removeHandler(handler)


def _line(stream: StringIO) -> dict[str, Any]:
    line: dict[str, Any] = json.loads(stream.getvalue())
    return line


def test_a_line_has_time_level_service_logger_text_and_tenant(stream: StringIO) -> None:
    with acting_in(TENANT_REQUEST):
        logging.getLogger("identity.x").warning("took long", extra={"seconds": 1.5})

    line = _line(stream)
    assert line.pop("time").endswith("+00:00")
    assert line == {
        "level": "warning",
        "service": "identity",
        "logger": "identity.x",
        "text": "took long",
        "tenant": "demo",
        "seconds": 1.5,
    }


def test_arguments_show_when_their_type_or_shape_is_public(stream: StringIO) -> None:
    identifier = UUID("01970000-0000-7000-8000-000000000001")
    logging.getLogger("runtime.x").warning(
        "%d of %s, %s: %s by %s (%.1f)",
        3,
        identifier,
        PrincipalKind.AGENT,
        CANARY,
        "careline.demo.identity.x.AgentCreated",
        0.25,
    )

    assert _line(stream)["text"] == (
        "3 of 01970000-0000-7000-8000-000000000001, AGENT: <withheld> by "
        "careline.demo.identity.x.AgentCreated (0.2)"
    )


def test_fields_that_are_not_listed_are_withheld_by_name(stream: StringIO) -> None:
    logging.getLogger("runtime.x").warning("x", extra={"patient": CANARY, "state": "closed"})

    line = _line(stream)
    assert line["state"] == "closed"
    assert line["withheld"] == ["patient"]
    assert CANARY not in stream.getvalue()


def test_a_listed_field_with_another_shape_is_withheld(stream: StringIO) -> None:
    logging.getLogger("runtime.x").warning("x", extra={"state": CANARY})

    assert _line(stream)["state"] == "<withheld>"


def test_what_holds_messaging_up_is_told(stream: StringIO) -> None:
    for stuck in (
        Stuck(Reason.RETRY_LATER, "KEYRING_AWAY"),
        stuck_by(PermissionDenied("$js.api.consumer.info.careline_identity.audit_trail")),
        stuck_by(OSError(CANARY)),
    ):
        logging.getLogger("messaging.x").warning("stuck", extra=stuck.log_fields)

    told = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["reason"], line["detail"]) for line in told] == [
        ("RETRY_LATER", "KEYRING_AWAY"),
        ("PERMISSION_DENIED", "$js.api.consumer.info.careline_identity.audit_trail"),
        ("DATABASE_AWAY", "OSError"),
    ]


def test_a_message_is_redacted_by_its_descriptor(stream: StringIO) -> None:
    request = IssueServiceTokenRequest(
        tenant="demo", service_account="serviceAccounts/1", secret=CANARY
    )
    logging.getLogger("identity.x").warning("asked", extra={"request": request})

    assert _line(stream)["request"]["tenant"] == "demo"
    assert CANARY not in stream.getvalue()


def test_an_exception_shows_types_and_frames_and_no_text(stream: StringIO) -> None:
    try:
        int(CANARY)
    except ValueError:
        logging.getLogger("runtime.x").exception("failed")

    line = _line(stream)
    assert line["error"] == "ValueError"
    assert line["frames"][0].endswith("test_an_exception_shows_types_and_frames_and_no_text")
    assert CANARY not in stream.getvalue()


def test_another_librarys_text_is_shown_only_as_a_template(stream: StringIO) -> None:
    logging.getLogger("nats.x").warning("subject %s", CANARY)
    logging.getLogger("nats.x").warning(f"subject {CANARY}")  # noqa: G004  as libraries do

    templated, formatted = (json.loads(line) for line in stream.getvalue().splitlines())
    assert templated["text"] == "subject <withheld>"
    assert formatted["text"].startswith("test_logs:")
    assert CANARY not in stream.getvalue()


def test_a_record_that_can_not_be_written_is_not_shown() -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError(CANARY)

    stream = StringIO()
    JsonHandler("identity", stream).handle(logging.makeLogRecord({"name": "x", "msg": Broken()}))

    assert "unwritable record of x" in stream.getvalue()
    assert CANARY not in stream.getvalue()
