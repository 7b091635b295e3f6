"""What identity is told, and whose events it consumes."""

from datetime import timedelta
from typing import Final, Literal

from messaging.names import Consumption
from pydantic import Field
from runtime.settings import ServiceSettings

from identity.domain.lockout import LockoutPolicy
from identity.domain.matching import MatchPolicy
from identity.domain.number_on_file import NumberPolicy
from identity.domain.patient_verification import REMEMBERED, PatientPolicy
from identity.domain.session import SessionPolicy
from identity.domain.verification import SENDS_REMEMBERED, VerificationPolicy

PATIENTS: Final = Consumption("identity", "patient_context", "patients")
CONSUMES: Final = (PATIENTS,)


class IdentitySettings(ServiceSettings):
    """The numbers of signing in and of verifying callers."""

    service_name: Literal["identity"] = Field("identity", description="identity, or nothing")
    argon2_profile: Literal["owasp", "rfc9106_low_memory"] = Field(
        "owasp", description="owasp (19 MiB a hash) or rfc9106_low_memory (64 MiB)"
    )
    argon2_threads: int = Field(2, ge=1, le=64, description="a whole number from 1 to 64")
    even_answer_seconds: float = Field(
        0.25,
        ge=0,
        le=5,
        description="seconds from 0 to 5: answers that must not tell by their time take a multiple",
    )
    lockout_failures: int = Field(5, ge=1, le=100, description="a whole number from 1 to 100")
    lockout_seconds: int = Field(
        900, ge=1, le=86_400, description="seconds from 1 to 86400, doubled at each further lockout"
    )
    lockout_longest_seconds: int = Field(
        86_400, ge=1, le=604_800, description="seconds from 1 to 604800"
    )
    session_factor_seconds: int = Field(300, ge=30, le=900, description="seconds from 30 to 900")
    session_longest_seconds: int = Field(
        43_200, ge=60, le=86_400, description="seconds from 60 to 86400"
    )
    session_idle_seconds: int = Field(900, ge=60, le=3_600, description="seconds from 60 to 3600")
    agent_access_seconds: int = Field(
        300, ge=30, le=900, description="seconds from 30 to 900 that an agent's token lives"
    )
    frontend_access_seconds: int = Field(
        900, ge=30, le=3_600, description="seconds from 30 to 3600 that a frontend's token lives"
    )
    identifier_tries: int = Field(3, ge=1, le=10, description="a whole number from 1 to 10")
    patient_failures: int = Field(
        5, ge=1, le=REMEMBERED, description=f"a whole number from 1 to {REMEMBERED}"
    )
    patient_failure_window_seconds: int = Field(
        86_400, ge=60, le=604_800, description="seconds from 60 to 604800"
    )
    birth_year_tolerance: int = Field(0, ge=0, le=2, description="years from 0 to 2")
    code_seconds: int = Field(
        300, ge=30, le=600, description="seconds from 30 to 600 that a one-time code counts"
    )
    code_tries: int = Field(3, ge=1, le=10, description="a whole number from 1 to 10")
    code_sends: int = Field(
        3, ge=1, le=SENDS_REMEMBERED, description=f"a whole number from 1 to {SENDS_REMEMBERED}"
    )
    code_send_window_seconds: int = Field(
        1_800, ge=60, le=86_400, description="seconds from 60 to 86400"
    )
    number_age_days: int = Field(
        30, ge=0, le=3_650, description="days from 0 to 3650 that a number must be on file"
    )
    number_of_unknown_age_counts: bool = Field(
        True, description="true to send codes to numbers whose day on file is not known, else false"
    )
    level_seconds: int = Field(
        3_600, ge=60, le=14_400, description="seconds from 60 to 14400 that a caller's level lasts"
    )
    assertion_seconds: int = Field(
        900, ge=30, le=900, description="seconds from 30 to 900 that an assertion lives"
    )

    def lockout(self) -> LockoutPolicy:
        return LockoutPolicy(
            self.lockout_failures,
            timedelta(seconds=self.lockout_seconds),
            timedelta(seconds=self.lockout_longest_seconds),
        )

    def session(self) -> SessionPolicy:
        return SessionPolicy(
            timedelta(seconds=self.session_factor_seconds),
            timedelta(seconds=self.session_longest_seconds),
            timedelta(seconds=self.session_idle_seconds),
        )

    def verification(self) -> VerificationPolicy:
        return VerificationPolicy(
            identifier_tries=self.identifier_tries,
            code_tries=self.code_tries,
            code_lifetime=timedelta(seconds=self.code_seconds),
            sends=self.code_sends,
            send_window=timedelta(seconds=self.code_send_window_seconds),
            level_lifetime=timedelta(seconds=self.level_seconds),
        )

    def patient(self) -> PatientPolicy:
        return PatientPolicy(
            failures=self.patient_failures,
            failure_window=timedelta(seconds=self.patient_failure_window_seconds),
            sends=self.code_sends,
            send_window=timedelta(seconds=self.code_send_window_seconds),
        )

    def matching(self) -> MatchPolicy:
        return MatchPolicy(birth_year_tolerance=self.birth_year_tolerance)

    def number(self) -> NumberPolicy:
        return NumberPolicy(timedelta(days=self.number_age_days), self.number_of_unknown_age_counts)
