"""Settings: what is taken, what is refused, and that no value is ever told."""

from typing import Literal

import pytest
from pydantic import Field, SecretStr
from runtime.settings import ServiceSettings, Settings, SettingsRefused, load_settings

CANARY = "hunter2-s3cret"
GOOD = {
    "CARELINE_SERVICE_NAME": "identity",
    "CARELINE_GRPC_LISTEN": "127.0.0.1:7001",
    "CARELINE_HEALTH_LISTEN": "[::1]:7101",
    "CARELINE_DATABASE": "postgresql:///careline?host=/run/postgresql&port=5433",
    "CARELINE_KEYRING_DATABASE": (
        "postgresql://keys.internal/keyring?sslmode=verify-full&sslrootcert=/etc/ca.pem"
    ),
    "CARELINE_VAULT_ADDRESS": "https://vault.internal:8200",
    "CARELINE_VAULT_ROLE_ID_FILE": "/run/secrets/role",
    "CARELINE_VAULT_SECRET_ID_FILE": "/run/secrets/secret",
    "CARELINE_NATS_URL": "tls://nats.internal:4222",
    "PATH": "/usr/bin",
}


def _load(**changes: str | None) -> ServiceSettings:
    environment = {**GOOD, **{f"CARELINE_{name}": value for name, value in changes.items()}}
    given = {name: value for name, value in environment.items() if value is not None}
    return load_settings(ServiceSettings, given)


def test_settings_are_typed_and_frozen() -> None:
    settings = _load(PEERS="routing=127.0.0.1:7003,audit=dns:///audit:7443", DRAIN_SECONDS="2.5")

    assert settings.grpc_listen.port == 7001
    assert str(settings.health_listen) == "[::1]:7101"
    assert (settings.database.socket_dir, settings.database.port) != (None, 5432)
    assert str(settings.database.socket_dir) == "/run/postgresql"
    assert settings.keyring_database.host == "keys.internal"
    assert str(settings.keyring_database.ca_file) == "/etc/ca.pem"
    assert settings.peers["audit"] == "dns:///audit:7443"
    assert settings.drain_seconds == 2.5
    assert settings.max_message_bytes == 1_048_576
    with pytest.raises(ValueError, match="frozen"):
        settings.drain_seconds = 3


def test_unknown_variables_are_refused_by_name() -> None:
    with pytest.raises(SettingsRefused) as refused:
        _load(GRPC_LISTENN=CANARY, grpc_listen=CANARY)

    assert [text.split()[0] for text in refused.value.complaints] == [
        "CARELINE_GRPC_LISTENN",
        "CARELINE_grpc_listen",
    ]
    assert CANARY not in str(refused.value)


def test_kubernetes_service_links_are_refused_with_the_way_out() -> None:
    with pytest.raises(SettingsRefused, match="enableServiceLinks: false"):
        _load(IDENTITY_SERVICE_HOST="10.0.0.1", IDENTITY_PORT_7001_TCP="tcp://10.0.0.1:7001")


def test_missing_variables_are_named_with_what_is_expected() -> None:
    with pytest.raises(SettingsRefused) as refused:
        _load(NATS_URL=None, GRPC_LISTEN=None)

    assert refused.value.complaints == (
        'CARELINE_GRPC_LISTEN is missing: expected where to serve gRPC, as "127.0.0.1:7001"',
        "CARELINE_NATS_URL is missing: expected NATS's URL, tls:// or on loopback also nats://",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SERVICE_NAME", CANARY),
        ("GRPC_LISTEN", CANARY),
        ("GRPC_LISTEN", "127.0.0.1"),
        ("GRPC_LISTEN", "127.0.0.1:70000"),
        ("GRPC_LISTEN", "user@127.0.0.1:7000"),
        ("DATABASE", f"postgresql://careline:{CANARY}@/careline?host=/run/postgresql"),
        ("DATABASE", "postgresql://10.0.0.7:5432/careline"),
        ("DATABASE", "postgresql://10.0.0.7:5432/careline?sslmode=require"),
        ("DATABASE", "postgresql://10.0.0.7/careline?sslmode=verify-full"),
        ("DATABASE", "postgresql:///careline?host=relative/path"),
        ("DATABASE", f"postgresql:///careline?host=/run/pg&password={CANARY}"),
        ("DATABASE", "postgresql:///?host=/run/pg"),
        ("DATABASE", "mysql:///careline?host=/run/pg"),
        ("VAULT_ADDRESS", "http://vault.internal:8200"),
        ("VAULT_ADDRESS", f"https://user:{CANARY}@vault.internal:8200"),
        ("VAULT_SECRET_ID_FILE", CANARY),
        ("VAULT_SECRET_ID_FILE", "12345678-1234-1234-1234-123456789012"),
        ("VAULT_CA_FILE", "ca.pem"),
        ("NATS_URL", "nats://nats.internal:4222"),
        ("NATS_URL", "127.0.0.1:4222"),
        ("PEERS", "audit"),
        ("PEERS", "audit=127.0.0.1:1,audit=127.0.0.1:2"),
        ("PEERS", "AUDIT=127.0.0.1:1"),
        ("LOG_LEVEL", "verbose"),
        ("MAX_MESSAGE_BYTES", "1e9"),
        ("MAX_MESSAGE_BYTES", "0"),
        ("DRAIN_SECONDS", "-1"),
        ("DRAIN_SECONDS", "nan"),
        ("GRPC_REFLECTION", "perhaps"),
    ],
)
def test_a_malformed_value_is_refused_by_name_and_never_shown(name: str, value: str) -> None:
    with pytest.raises(SettingsRefused) as refused:
        _load(**{name: value})

    (complaint,) = refused.value.complaints
    assert complaint.startswith(f"CARELINE_{name} is malformed: expected ")
    assert CANARY not in str(refused.value) + repr(refused.value)
    assert refused.value.__cause__ is None


def test_all_complaints_come_at_once() -> None:
    with pytest.raises(SettingsRefused) as refused:
        _load(NATS_URL=CANARY, GRPC_LISTEN=None, TYPO="1")

    assert len(refused.value.complaints) == 3


def test_grpc_over_a_network_needs_tls_or_a_mesh_that_has_it() -> None:
    with pytest.raises(SettingsRefused, match="no loopback address"):
        _load(GRPC_LISTEN="0.0.0.0:7001")

    _load(GRPC_LISTEN="0.0.0.0:7001", GRPC_PLAINTEXT="true")
    tls = {
        "GRPC_CERTIFICATE_FILE": "/tls/crt",
        "GRPC_PRIVATE_KEY_FILE": "/tls/key",
        "GRPC_CA_FILE": "/tls/ca",
    }
    _load(GRPC_LISTEN="0.0.0.0:7001", **tls)
    with pytest.raises(SettingsRefused, match="belong together"):
        _load(GRPC_CERTIFICATE_FILE="/tls/crt")


def test_a_service_fixes_its_name() -> None:
    class RoutingSettings(ServiceSettings):
        service_name: Literal["routing"] = Field("routing", description="routing, or nothing")

    environment = {name: value for name, value in GOOD.items() if "SERVICE_NAME" not in name}

    assert load_settings(RoutingSettings, environment).service_name == "routing"
    with pytest.raises(SettingsRefused, match="CARELINE_SERVICE_NAME is malformed"):
        load_settings(RoutingSettings, GOOD)


def test_a_literal_secret_can_not_be_declared() -> None:
    for kind in (str, SecretStr, str | None, bytes):
        with pytest.raises(TypeError, match="must be a SecretFile or a VaultPath"):
            type(
                "Leaky",
                (Settings,),
                {
                    "__annotations__": {"api_key": kind},
                    "__module__": __name__,
                    "api_key": Field(description="a key"),
                },
            )


def test_a_setting_says_what_is_expected_of_it() -> None:
    with pytest.raises(TypeError, match="needs a description"):
        type("Mute", (Settings,), {"__annotations__": {"depth": int}, "__module__": __name__})
