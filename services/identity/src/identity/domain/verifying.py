"""What a caller, and whoever has him on the line, may do next in a verification."""

from datetime import datetime

from careline.identity.events.v1 import events_pb2 as events
from eventstore.decider import Rejected

from identity.domain.moment import stamp
from identity.domain.verification import (
    Event,
    Level,
    Status,
    Verification,
    VerificationPolicy,
)


def start(
    verification: Verification,
    *,
    conversation: str,
    channel: str,
    purpose: str,
    frontend: str,
    at: datetime,
) -> list[Event]:
    """Begin, or begin anew: another person may be on the line, or another channel in use."""
    if verification.status is Status.EXHAUSTED:
        raise Rejected("VERIFICATION_EXHAUSTED")
    return [
        events.VerificationStarted(
            conversation=conversation,
            channel=channel,
            purpose_of_use=purpose,
            start_time=stamp(at),
            frontend=frontend,
        )
    ]


def require_identifying(verification: Verification) -> None:
    """Refuse unless a set of identifiers is asked for."""
    if verification.status is Status.EXHAUSTED:
        raise Rejected("VERIFICATION_EXHAUSTED")
    if verification.status is not Status.IDENTIFYING:
        raise Rejected("VERIFICATION_STATE", state=verification.status)


def take_identifiers(
    verification: Verification, *, patient: str | None, at: datetime, policy: VerificationPolicy
) -> list[Event]:
    """Record what a set of identifiers was: `patient` is who fits, None for nobody."""
    require_identifying(verification)
    if patient is not None:
        return [
            events.IdentifiersMatched(patient=patient, match_time=stamp(at)),
            _level_reached(verification, patient, Level.MATCHED, at, policy),
        ]
    failures = verification.failures + 1
    failed = events.IdentifiersNotMatched(failures=failures, fail_time=stamp(at))
    if failures < policy.identifier_tries:
        return [failed]
    return [failed, events.VerificationExhausted(limit="IDENTIFIERS", exhaust_time=stamp(at))]


def require_sendable(verification: Verification, at: datetime, policy: VerificationPolicy) -> None:
    """Refuse unless a code can be sent now."""
    if verification.status is Status.EXHAUSTED:
        raise Rejected("VERIFICATION_EXHAUSTED")
    if verification.status not in (Status.MATCHED, Status.CODE_SENT):
        raise Rejected("VERIFICATION_STATE", state=verification.status)
    if verification.level_at(at) is Level.ANONYMOUS:
        raise Rejected("VERIFICATION_STATE", state="expired")
    if not verification.may_send(at, policy):
        raise Rejected("VERIFICATION_EXHAUSTED")


def send_code(
    verification: Verification, *, code: str, at: datetime, policy: VerificationPolicy
) -> list[Event]:
    """Note that a code is to be sent; the one before counts no more."""
    require_sendable(verification, at, policy)
    return [
        events.VerificationCodeSent(
            code=code, expire_time=stamp(at + policy.code_lifetime), send_time=stamp(at)
        )
    ]


def confirm_code(
    verification: Verification, *, right: bool, at: datetime, policy: VerificationPolicy
) -> list[Event]:
    """Record what a given code was. At most `code_tries` of a code are evaluated; one that comes
    too late is wrong.
    """
    if verification.status is Status.EXHAUSTED:
        raise Rejected("VERIFICATION_EXHAUSTED")
    code = verification.code
    if verification.status is not Status.CODE_SENT or code.tries >= policy.code_tries:
        raise Rejected("VERIFICATION_STATE", state=_state_of_code(verification))
    if right and at < code.expires:
        return [
            events.VerificationCodeConfirmed(code=code.name, confirm_time=stamp(at)),
            _level_reached(verification, verification.patient, Level.VERIFIED, at, policy),
        ]
    refused = events.VerificationCodeRefused(
        code=code.name, tries=code.tries + 1, refuse_time=stamp(at)
    )
    if code.tries + 1 < policy.code_tries or verification.may_send(at, policy):
        return [refused]
    return [refused, events.VerificationExhausted(limit="CODE_TRIES", exhaust_time=stamp(at))]


def remaining_tries(verification: Verification, at: datetime, policy: VerificationPolicy) -> int:
    """Count the tries left of what is asked for now."""
    match verification.status:
        case Status.IDENTIFYING:
            return max(policy.identifier_tries - verification.failures, 0)
        case Status.CODE_SENT if verification.code_is_live(at, policy):
            return policy.code_tries - verification.code.tries
        case _:
            return 0


def _level_reached(
    verification: Verification, patient: str, level: Level, at: datetime, policy: VerificationPolicy
) -> events.CallerLevelReached:
    return events.CallerLevelReached(
        conversation=verification.conversation,
        patient=patient,
        level=level,
        reach_time=stamp(at),
        expire_time=stamp(at + policy.level_lifetime),
    )


def _state_of_code(verification: Verification) -> str:
    used_up = verification.status is Status.CODE_SENT
    return "code_used_up" if used_up else verification.status
