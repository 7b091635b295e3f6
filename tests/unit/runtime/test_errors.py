"""Reasons, their codes, and which errors of libraries mean which."""

from uuid import UUID

import asyncpg
import grpc
import pytest
from careline.errors.v1.error_reason_pb2 import ErrorReason
from eventstore.decider import Rejected
from eventstore.errors import (
    EventIdReused,
    EventLogError,
    LogUnavailable,
    OutcomeUnknown,
    Overloaded,
    RevisionConflict,
)
from eventstore.execute import ConflictPersists
from eventstore.expected_revision import ExpectedRevision
from eventstore.stream_id import StreamId
from runtime.database.errors import DatabaseUnavailable
from runtime.error_answers import ERROR_ANSWERS
from runtime.errors import refusal_of, status_of
from runtime.public_value import is_public_value
from runtime.refusal import Refused
from runtime.tokens.caller_assertion import AssertionInvalid
from runtime.vault.errors import SignInRefused, VaultDenied, VaultUnavailable
from sealing.keyring.errors import KeyringUnavailable, SubjectErased
from sqlalchemy import exc

CUT_OFF = exc.DBAPIError("x", {}, Exception(), connection_invalidated=True)
STREAM = StreamId("demo", "conversations/1")


def test_every_reason_has_exactly_one_answer() -> None:
    reasons = {name.removeprefix("ERROR_REASON_") for name, _ in ErrorReason.items()}

    assert set(ERROR_ANSWERS) == reasons


def test_answers_are_fixed_sentences_with_codes_that_fail() -> None:
    for reason, answer in ERROR_ANSWERS.items():
        assert answer.code is not grpc.StatusCode.OK, reason
        assert answer.text.endswith("."), reason
        assert "%" not in answer.text, reason
        assert "{" not in answer.text, reason


def test_only_what_passes_by_itself_is_unavailable() -> None:
    """UNAVAILABLE is the one code that channels retry."""
    unavailable = {
        reason
        for reason, answer in ERROR_ANSWERS.items()
        if answer.code is grpc.StatusCode.UNAVAILABLE
    }

    assert unavailable == {"DEPENDENCY_UNAVAILABLE", "AUDIT_BEHIND"}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Rejected("CONVERSATION_STATE", state="closed"), "CONVERSATION_STATE"),
        (RevisionConflict(STREAM, ExpectedRevision.exact(3), 4), "ETAG_STALE"),
        (ConflictPersists("again"), "CONFLICT"),
        (EventIdReused(UUID(int=1)), "REQUEST_ID_REUSED"),
        (Overloaded("full"), "OVERLOADED"),
        (LogUnavailable("away"), "DEPENDENCY_UNAVAILABLE"),
        (OutcomeUnknown("lost"), "DEPENDENCY_UNAVAILABLE"),
        (KeyringUnavailable("away"), "DEPENDENCY_UNAVAILABLE"),
        (SubjectErased("demo", "patients/1"), "PATIENT_ERASED"),
        (VaultUnavailable("away"), "DEPENDENCY_UNAVAILABLE"),
        (SignInRefused("refused"), "DEPENDENCY_UNAVAILABLE"),
        (DatabaseUnavailable("away"), "DEPENDENCY_UNAVAILABLE"),
        (AssertionInvalid("no"), "ASSERTION_INVALID"),
        (exc.TimeoutError("pool"), "OVERLOADED"),
        (exc.OperationalError("x", {}, Exception()), "DEPENDENCY_UNAVAILABLE"),
        (
            exc.DBAPIError("x", {}, Exception(), connection_invalidated=True),
            "DEPENDENCY_UNAVAILABLE",
        ),
        (TimeoutError(), "DEPENDENCY_UNAVAILABLE"),
        (ExceptionGroup("one", [Refused("OFFER_GONE")]), "OFFER_GONE"),
    ],
)
def test_a_foreseen_error_has_its_reason(error: Exception, reason: str) -> None:
    refused = refusal_of(error)

    assert refused is not None
    assert refused.reason == reason


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        Rejected("NO_SUCH_REASON"),
        VaultDenied("policy"),
        EventLogError("?"),
        exc.IntegrityError("x", {}, Exception()),
        asyncpg.UniqueViolationError("duplicate key"),
        OSError("disk"),
        ExceptionGroup("two", [Refused("OFFER_GONE"), ValueError()]),
    ],
)
def test_an_unforeseen_error_has_none(error: Exception) -> None:
    assert refusal_of(error) is None


def test_a_rejections_metadata_passes_when_it_is_public() -> None:
    refused = refusal_of(
        Rejected("LOCKED_OUT", until="2026-11-23T10:00:00Z", who="Jane Doe", tries="3")
    )

    assert refused is not None
    info = status_of(refused).details[0]
    assert b"Jane" not in info.value
    assert b"2026-11-23T10:00:00Z" in info.value


@pytest.mark.parametrize(
    "value",
    [
        "closed",
        "NOT_FOUND",
        "3",
        "0.25",
        "01970000-0000-7000-8000-000000000001",
        "conversations/01970000-0000-7000-8000-000000000001",
        "queues/billing",
        "2026-11-23T10:00:00.125Z",
    ],
)
def test_states_counts_ids_and_times_are_public_by_shape(value: str) -> None:
    assert is_public_value(value)


@pytest.mark.parametrize(
    "value",
    [
        "Jane Doe",
        "Jane",
        "jane@example.org",
        "+15550199123",
        "5550199123",
        "555-0199",
        "999-12-3456",
        "MRN12345678",
        "1936-08-18",
        "patients/jane.doe",
        "12 Main Street",
        "",
        "x" * 200,
    ],
)
def test_names_numbers_and_dates_of_people_are_not(value: str) -> None:
    assert not is_public_value(value)
