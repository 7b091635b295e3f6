"""Settings from the environment: typed, frozen, complete before anything starts."""

import re
from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from runtime.addresses import DatabaseAddress, ListenAddress, Peers, ServerUrl
from runtime.secret_reference import SecretFile, VaultPath

PREFIX = "CARELINE_"
_SETTINGS = TypeVar("_SETTINGS", bound="Settings")
_SECRET_WORDS = re.compile(
    r"(^|_)(password|passphrase|secret|token|credential|creds|key|pin|seed)(_|s?$)"
)
_SERVICE_LINK = re.compile(r"_(SERVICE_(HOST|PORT)|PORT)(_|$)")


class SettingsRefused(Exception):
    """The environment can not be used; each line names one variable and what is expected of it."""

    def __init__(self, complaints: list[str]) -> None:
        self.complaints = tuple(complaints)
        super().__init__("\n".join(complaints))


def _is_reference(annotation: object) -> bool:
    """Tell whether an annotation is a secret reference, or optional one."""
    parts = get_args(annotation) or (annotation,)
    return all(part in (SecretFile, VaultPath, type(None)) for part in parts)


class Settings(BaseModel):
    """Frozen settings; every field says by its description what is expected of its variable.

    A field named like a secret must be a reference (SecretFile, VaultPath): a literal secret can
    not be declared.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    @classmethod
    def __pydantic_init_subclass__(cls, **_: object) -> None:
        for name, field in cls.model_fields.items():
            if not field.description:
                raise TypeError(f"{cls.__name__}.{name} needs a description of what is expected")
            if _SECRET_WORDS.search(name) and not _is_reference(field.annotation):
                raise TypeError(f"{cls.__name__}.{name} must be a SecretFile or a VaultPath")


class StoreSettings(Settings):
    """Where both databases are, and how to sign in with Vault, which makes the logins to them."""

    database: DatabaseAddress = Field(
        description="a PostgreSQL URL without user and password, over a Unix socket "
        '("postgresql:///careline?host=/run/postgresql&port=5432") or with sslmode=verify-full and '
        "sslrootcert"
    )
    keyring_database: DatabaseAddress = Field(
        description="the keyring's PostgreSQL URL, in the form of CARELINE_DATABASE"
    )
    vault_address: ServerUrl = Field(
        description="Vault's URL, https:// or on loopback also http://"
    )
    vault_ca_file: str | None = Field(
        None, pattern=r"^/", description="the absolute path of the PEM CA of Vault"
    )
    vault_role_id_file: SecretFile = Field(
        description="the absolute path of the file with the AppRole role id"
    )
    vault_secret_id_file: SecretFile = Field(
        description="the absolute path of the file with the AppRole secret id or its wrapping token"
    )


class ServiceSettings(StoreSettings):
    """What every service is told; a service adds its own in a subclass that fixes its name."""

    service_name: Annotated[
        Literal["identity", "conversations", "routing", "patient_context", "audit", "federation"],
        Field(description="this service's own name, or nothing"),
    ]
    grpc_listen: ListenAddress = Field(description='where to serve gRPC, as "127.0.0.1:7001"')
    health_listen: ListenAddress = Field(
        description='where to serve health checks without TLS, as "127.0.0.1:7101"'
    )
    grpc_certificate_file: str | None = Field(
        None, pattern=r"^/", description="the absolute path of this server's PEM certificate chain"
    )
    grpc_private_key_file: SecretFile | None = Field(
        None, description="the absolute path of the certificate's PEM private key"
    )
    grpc_ca_file: str | None = Field(
        None, pattern=r"^/", description="the absolute path of the PEM CA of callers and peers"
    )
    grpc_plaintext: bool = Field(
        False, description="true when a mesh ends TLS in front of this server, else false"
    )
    grpc_reflection: bool = Field(True, description="true to serve reflection, else false")
    nats_url: ServerUrl = Field(description="NATS's URL, tls:// or on loopback also nats://")
    nats_ca_file: str | None = Field(
        None, pattern=r"^/", description="the absolute path of the PEM CA of NATS"
    )
    archive_url: str | None = Field(
        None,
        pattern=r"^(file:///|s3://[a-z0-9])[^@?#\s]*$",
        description='where to archive the log, as "file:///var/lib/careline/archive" or '
        '"s3://bucket/prefix"; without it nothing is archived',
    )
    peers: Peers = Field(
        Peers({}), description='gRPC targets of other services, as "identity=127.0.0.1:7001,..."'
    )
    otlp_endpoint: ServerUrl | None = Field(
        None, description="an OTLP/gRPC collector, https:// or on loopback also http://"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="one of debug, info, warning, error"
    )
    max_message_bytes: int = Field(
        1_048_576, ge=1024, le=16_777_216, description="a whole number from 1024 to 16777216"
    )
    max_concurrent_rpcs: int = Field(
        1024, ge=1, le=100_000, description="a whole number from 1 to 100000"
    )
    max_deadline_seconds: float = Field(
        60, gt=0, le=600, description="seconds above 0 up to 600, for calls with one answer"
    )
    max_stream_seconds: float = Field(
        3600, gt=0, le=86_400, description="seconds above 0 up to 86400, for streaming calls"
    )
    drain_seconds: float = Field(10, ge=0, le=600, description="seconds from 0 to 600")
    endpoint_delay_seconds: float = Field(
        0, ge=0, le=60, description="seconds from 0 to 60 between not-serving and stopping"
    )

    @model_validator(mode="after")
    def _tls_is_complete(self) -> "ServiceSettings":
        given = [self.grpc_certificate_file, self.grpc_private_key_file, self.grpc_ca_file]
        if any(given) and not all(given):
            raise ValueError(
                "CARELINE_GRPC_CERTIFICATE_FILE, CARELINE_GRPC_PRIVATE_KEY_FILE and "
                "CARELINE_GRPC_CA_FILE belong together: give all three or none"
            )
        if not any(given) and not self.grpc_listen.loopback and not self.grpc_plaintext:
            raise ValueError(
                "CARELINE_GRPC_LISTEN is no loopback address: give certificate, key and CA, or "
                "CARELINE_GRPC_PLAINTEXT=true when a mesh ends TLS in front"
            )
        return self


def load_settings(kind: type[_SETTINGS], environment: Mapping[str, str]) -> _SETTINGS:
    """Read settings from variables named CARELINE_<FIELD>.

    Raises SettingsRefused that names every unknown, missing or malformed variable. It holds no
    value: a value may be a secret in the wrong place.
    """
    values: dict[str, str] = {}
    complaints: list[str] = []
    for variable in sorted(environment):
        if not variable.startswith(PREFIX):
            continue
        field = variable.removeprefix(PREFIX).lower()
        if variable != variable.upper() or field not in kind.model_fields:
            complaints.append(_unknown(variable))
        else:
            values[field] = environment[variable]
    try:
        settings = kind.model_validate_strings(values)
    except ValidationError as error:
        complaints += [
            _complaint(kind, detail["loc"], detail["type"], detail["msg"])
            for detail in error.errors(include_input=False, include_url=False)
        ]
    else:
        if not complaints:
            return settings
    raise SettingsRefused(list(dict.fromkeys(complaints)))


def _unknown(variable: str) -> str:
    hint = "remove it or correct its name"
    if _SERVICE_LINK.search(variable):
        hint = "Kubernetes adds such variables: set enableServiceLinks: false on the pod"
    return f"{variable} is no setting of this service; {hint}"


def _complaint(
    kind: type[Settings], location: tuple[int | str, ...], error_type: str, message: str
) -> str:
    if not location:
        return message.removeprefix("Value error, ")
    name = str(location[0])
    expected = kind.model_fields[name].description
    problem = "is missing" if error_type == "missing" else "is malformed"
    return f"{PREFIX}{name.upper()} {problem}: expected {expected}"
