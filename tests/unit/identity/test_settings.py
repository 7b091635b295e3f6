"""Identity's numbers: the defaults, and what is refused."""

from datetime import timedelta

import pytest
from identity.settings import IdentitySettings
from runtime.settings import SettingsRefused, load_settings

ENVIRONMENT = {
    "CARELINE_GRPC_LISTEN": "127.0.0.1:0",
    "CARELINE_HEALTH_LISTEN": "127.0.0.1:0",
    "CARELINE_DATABASE": "postgresql:///careline?host=/run",
    "CARELINE_KEYRING_DATABASE": "postgresql:///keyring?host=/run",
    "CARELINE_VAULT_ADDRESS": "http://127.0.0.1:8200",
    "CARELINE_VAULT_ROLE_ID_FILE": "/run/role",
    "CARELINE_VAULT_SECRET_ID_FILE": "/run/secret",
    "CARELINE_NATS_URL": "nats://127.0.0.1:4222",
}


def settings(**changes: str) -> IdentitySettings:
    more = {f"CARELINE_{name}": value for name, value in changes.items()}
    return load_settings(IdentitySettings, ENVIRONMENT | more)


def test_the_defaults_are_the_platforms_rules() -> None:
    given = settings()

    lockout, session, patient = given.lockout(), given.session(), given.patient()
    assert (lockout.failures, lockout.first) == (5, timedelta(minutes=15))
    assert (session.longest, session.idle) == (timedelta(hours=12), timedelta(minutes=15))
    assert (patient.failures, patient.failure_window) == (5, timedelta(hours=24))
    assert (patient.sends, patient.send_window) == (3, timedelta(minutes=30))
    limits = given.verification()
    assert (limits.identifier_tries, limits.code_tries, limits.sends) == (3, 3, 3)
    assert limits.code_lifetime == timedelta(minutes=5)
    assert given.number().on_file_for == timedelta(days=30)
    assert given.matching().birth_year_tolerance == 0
    assert (given.agent_access_seconds, given.frontend_access_seconds) == (300, 900)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CODE_SECONDS", "601"),
        ("CODE_TRIES", "0"),
        ("PATIENT_FAILURES", "65"),
        ("ASSERTION_SECONDS", "901"),
        ("ARGON2_PROFILE", "md5"),
        ("BIRTH_YEAR_TOLERANCE", "3"),
        ("CODE_SENT_TWICE", "1"),
    ],
)
def test_what_is_unknown_or_out_of_bounds_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(SettingsRefused, match=f"CARELINE_{name}"):
        settings(**{name: value})
