"""What happened to one patient in all conversations: the limits that a new call does not reset."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from careline.identity.events.v1 import events_pb2 as events
from eventstore.decider import Decider

from identity.domain.moment import moment, stamp

REMEMBERED: Final = 64
"""So many times are kept; limits are settings that may not exceed it."""

Event: TypeAlias = (
    events.PatientVerificationFailed
    | events.PatientVerificationMatched
    | events.PatientVerificationCodeSent
)


@dataclass(frozen=True, slots=True)
class PatientPolicy:
    """`failures` of sets of identifiers in `failure_window`, `sends` of codes in `send_window`.

    Beyond them nothing is evaluated, or sent.
    """

    failures: int = 5
    failure_window: timedelta = timedelta(hours=24)
    sends: int = 3
    send_window: timedelta = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class PatientVerification:
    """The latest failures and sends, oldest first."""

    failures: tuple[datetime, ...] = ()
    sends: tuple[datetime, ...] = ()

    def is_locked(self, at: datetime, policy: PatientPolicy) -> bool:
        recent = [each for each in self.failures if each > at - policy.failure_window]
        return len(recent) >= policy.failures

    def may_send(self, at: datetime, policy: PatientPolicy) -> bool:
        recent = [each for each in self.sends if each > at - policy.send_window]
        return len(recent) < policy.sends


def evolve(patient: PatientVerification, event: Event) -> PatientVerification:
    match event:
        case events.PatientVerificationFailed():
            failures = (*patient.failures, moment(event.fail_time))[-REMEMBERED:]
            return replace(patient, failures=failures)
        case events.PatientVerificationMatched():
            return patient
        case events.PatientVerificationCodeSent():
            sends = (*patient.sends, moment(event.send_time))[-REMEMBERED:]
            return replace(patient, sends=sends)


DECIDER: Final[Decider[PatientVerification, Event]] = Decider(PatientVerification(), evolve)


def name_of(patient: str) -> str:
    """Name the stream of a patient, "patients/<id>"."""
    return f"patientVerifications/{patient.removeprefix('patients/')}"


def failed(verification: str, at: datetime) -> list[Event]:
    return [events.PatientVerificationFailed(verification=verification, fail_time=stamp(at))]


def matched(verification: str, at: datetime) -> list[Event]:
    """Note a match, although it changes no limit.

    Appended at an exact revision, it makes sets that are judged at the same time wait for each
    other, so that none is judged on a count gone by.
    """
    return [events.PatientVerificationMatched(verification=verification, match_time=stamp(at))]


def code_sent(verification: str, at: datetime) -> list[Event]:
    return [events.PatientVerificationCodeSent(verification=verification, send_time=stamp(at))]
