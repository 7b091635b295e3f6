"""Which gRPC code and fixed text each reason of careline.errors.v1.ErrorReason is answered with."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from grpc import StatusCode


@dataclass(frozen=True, slots=True)
class ErrorAnswer:
    """A reason's gRPC code, its text, and after how many seconds a retry makes sense."""

    code: StatusCode
    text: str
    retry_after: float | None = None


_INVALID = StatusCode.INVALID_ARGUMENT
_STATE = StatusCode.FAILED_PRECONDITION
_DENIED = StatusCode.PERMISSION_DENIED
_UNAUTHENTICATED = StatusCode.UNAUTHENTICATED
_UNAVAILABLE = StatusCode.UNAVAILABLE
_EXHAUSTED = StatusCode.RESOURCE_EXHAUSTED

ERROR_ANSWERS: Final[Mapping[str, ErrorAnswer]] = MappingProxyType(
    {
        "UNSPECIFIED": ErrorAnswer(StatusCode.INTERNAL, "Something failed."),
        "INTERNAL": ErrorAnswer(
            StatusCode.INTERNAL, "Something failed. Give the incident id when you ask about it."
        ),
        "DEPENDENCY_UNAVAILABLE": ErrorAnswer(
            _UNAVAILABLE, "A dependency is away. Retry with back-off.", 1
        ),
        "OVERLOADED": ErrorAnswer(_EXHAUSTED, "A queue is full. Retry later.", 1),
        "DEADLINE_REQUIRED": ErrorAnswer(
            _INVALID, "Call with a deadline, within what the metadata says."
        ),
        "FIELD_INVALID": ErrorAnswer(_INVALID, "A field is malformed; the details name it."),
        "MESSAGE_TOO_LARGE": ErrorAnswer(_EXHAUSTED, "The message is too large."),
        "REQUEST_ID_REQUIRED": ErrorAnswer(_INVALID, "Give a request id, a UUIDv7."),
        "REQUEST_ID_REUSED": ErrorAnswer(
            _INVALID, "The request id was used for another request. Take a new one."
        ),
        "ETAG_STALE": ErrorAnswer(
            StatusCode.ABORTED, "The etag is not the current one. Read the resource again."
        ),
        "CONFLICT": ErrorAnswer(
            StatusCode.ABORTED, "Others kept changing the resource. Retry.", 0.1
        ),
        "DENIED_OR_ABSENT": ErrorAnswer(_DENIED, "Denied, or there is no such thing."),
        "METHOD_UNKNOWN": ErrorAnswer(StatusCode.UNIMPLEMENTED, "The method is not served here."),
        "PAGE_TOKEN_INVALID": ErrorAnswer(_INVALID, "The token is not of this query."),
        "RESUME_TOKEN_EXPIRED": ErrorAnswer(
            StatusCode.OUT_OF_RANGE, "The resume token lies in an earlier epoch. Start anew."
        ),
        "TOKEN_MISSING": ErrorAnswer(_UNAUTHENTICATED, "Send a token as authorization metadata."),
        "TOKEN_INVALID": ErrorAnswer(_UNAUTHENTICATED, "The token does not hold. Sign in."),
        "TOKEN_EXPIRED": ErrorAnswer(
            _UNAUTHENTICATED, "The token has expired. Refresh it or sign in again."
        ),
        "PURPOSE_OF_USE_REQUIRED": ErrorAnswer(
            _INVALID, "Give the purpose of use as metadata careline-purpose-of-use."
        ),
        "PURPOSE_OF_USE_INVALID": ErrorAnswer(_INVALID, "The purpose of use is not known."),
        "SIGN_IN_REFUSED": ErrorAnswer(_UNAUTHENTICATED, "The sign-in is refused."),
        "LOCKED_OUT": ErrorAnswer(_EXHAUSTED, "Too many failures. Wait."),
        "SESSION_ENDED": ErrorAnswer(_UNAUTHENTICATED, "The session has ended. Sign in again."),
        "NAME_TAKEN": ErrorAnswer(StatusCode.ALREADY_EXISTS, "The name is taken."),
        "PASSWORD_UNACCEPTABLE": ErrorAnswer(
            _INVALID, "The password is too short or on the blocklist."
        ),
        "VERIFICATION_STATE": ErrorAnswer(
            _STATE, "The verification has ended or is in another state."
        ),
        "VERIFICATION_FAILED": ErrorAnswer(_STATE, "The caller was not verified."),
        "VERIFICATION_EXHAUSTED": ErrorAnswer(
            _EXHAUSTED, "No more tries. Call back the number on file."
        ),
        "CODE_UNDELIVERABLE": ErrorAnswer(_STATE, "A code can not be sent."),
        "ASSERTION_INVALID": ErrorAnswer(
            _DENIED, "The caller's assertion does not hold here. Verify the caller again."
        ),
        "CONVERSATION_STATE": ErrorAnswer(_STATE, "The conversation's state does not allow this."),
        "CONTROL_NOT_HELD": ErrorAnswer(_STATE, "Somebody else holds the control token."),
        "CHANNEL_NOT_JOINED": ErrorAnswer(_STATE, "The channel is not part of the conversation."),
        "CALL_LEG_STATE": ErrorAnswer(_STATE, "The call leg's state does not allow this."),
        "PATIENT_LINKED": ErrorAnswer(_STATE, "The conversation is linked to another patient."),
        "DISPOSITION_UNKNOWN": ErrorAnswer(_INVALID, "The queue has no such disposition."),
        "CONTACT_STATE": ErrorAnswer(_STATE, "The contact's state does not allow this."),
        "OFFER_GONE": ErrorAnswer(_STATE, "The offer has expired or went to another agent."),
        "AGENT_STATE": ErrorAnswer(_STATE, "The agent's state does not allow this."),
        "QUEUE_UNKNOWN": ErrorAnswer(_INVALID, "There is no such queue."),
        "RESOURCE_INVALID": ErrorAnswer(_INVALID, "The resource is no valid FHIR R4."),
        "PATIENT_ERASED": ErrorAnswer(_STATE, "The patient's data were erased."),
        "DISCLOSURE_REFUSED": ErrorAnswer(
            _DENIED, "Consent, caller level or purpose do not allow it."
        ),
        "AUDIT_BEHIND": ErrorAnswer(
            _UNAVAILABLE, "The audit log is too far behind to disclose. Retry.", 5
        ),
        "SEARCH_TOO_BROAD": ErrorAnswer(_INVALID, "The search names too little."),
        "PARTNER_SUSPENDED": ErrorAnswer(_STATE, "The partner is suspended."),
        "PARTNER_STATE": ErrorAnswer(_STATE, "The partner's state does not allow this."),
    }
)
