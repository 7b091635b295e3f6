"""A service's log and keys, reached as the service itself reaches them: by its AppRole."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from careline.conversations.events.v1 import events_pb2 as conversations_events
from careline.patient_context.events.v1 import events_pb2 as patient_events
from embedded import OpenBaoServer, PostgresServer, write_private
from eventstore.event_log import EventLog
from eventstore.postgres import PostgresEventLog
from eventstore.postgres.bounds import DEFAULT_BOUNDS
from google.protobuf.message import Message
from messaging.replication import StreamReplication
from runtime.database.leased_engine import LeasedDatabase
from runtime.event_codec import LogCodec
from runtime.service_parts import signed_in
from runtime.settings import StoreSettings, load_settings
from runtime.vault.database_login import DatabaseLogins
from runtime.vault.transit import KeyringTransit
from sealing.event_codec import EventCodec
from sealing.keyring.keyring import Keyring
from sealing.sealer import Sealer

from careline_cli.platform.data_directory import DataDirectory
from careline_cli.platform.vault_access import VaultAccess
from careline_cli.provision.provisioned import KEYRING_DATABASE, PLATFORM_DATABASE

CONVERSATIONS: Final = "conversations"
PATIENT_CONTEXT: Final = "patient_context"
EVENTS: Final[Mapping[str, tuple[type[Message], ...]]] = {
    CONVERSATIONS: (
        conversations_events.ConversationStarted,
        conversations_events.MessagePosted,
    ),
    PATIENT_CONTEXT: (patient_events.PatientRegistered, patient_events.ConsentRecorded),
}
"""What the load appends, and to whose logs."""
_LOOK_CONNECTIONS: Final = 2


@dataclass(frozen=True, slots=True)
class Access:
    """A service, and the environment that a process of it is given to reach databases and Vault."""

    service: str
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class OwnLog:
    """What a service appends by."""

    log: EventLog
    keyring: Keyring
    codec: LogCodec


def admitted(data: DataDirectory, service: str, folder: Path) -> Access:
    """Have one more process of a service admitted, as a restarted one is.

    `folder` takes its role id and its secret id, which is good for one sign-in within minutes.
    """
    vault = OpenBaoServer(data.root / "openbao")
    admission = VaultAccess(vault, data).admit(service)
    folder.mkdir(mode=0o700, parents=True)
    role_id, secret_id = folder / "role-id", folder / "secret-id"
    write_private(role_id, admission.role_id)
    write_private(secret_id, admission.wrapped_secret_id)
    platform = PostgresServer(data.root / "postgres").socket_dir
    keyring = PostgresServer(data.root / "keyring", name="keyring").socket_dir
    settings = {
        "DATABASE": f"postgresql:///{PLATFORM_DATABASE}?host={platform}",
        "KEYRING_DATABASE": f"postgresql:///{KEYRING_DATABASE}?host={keyring}",
        "VAULT_ADDRESS": vault.url,
        "VAULT_ROLE_ID_FILE": str(role_id),
        "VAULT_SECRET_ID_FILE": str(secret_id),
    }
    return Access(service, {f"CARELINE_{name}": value for name, value in settings.items()})


@asynccontextmanager
async def own_log(access: Access) -> AsyncIterator[OwnLog]:
    """Sign in and open the log; its logins last for the hour that a drill is shorter than."""
    settings = load_settings(StoreSettings, access.environment)
    service = access.service
    async with AsyncExitStack() as stack:
        vault = await stack.enter_async_context(signed_in(settings))
        logins = DatabaseLogins(vault)
        own = LeasedDatabase(settings.database, logins, service)
        shared = LeasedDatabase(settings.keyring_database, logins, f"keyring-{service}")
        await stack.enter_async_context(own)
        await stack.enter_async_context(shared)
        replication = StreamReplication(own.engine("queries", pool_size=_LOOK_CONNECTIONS), service)
        log = await stack.enter_async_context(
            PostgresEventLog(
                own.engine("log", pool_size=DEFAULT_BOUNDS.connections),
                service,
                replication=replication,
            )
        )
        keys = shared.engine("keyring", pool_size=_LOOK_CONNECTIONS)
        keyring = await stack.enter_async_context(Keyring(keys, KeyringTransit(vault)))
        codec = LogCodec(EventCodec(Sealer(keyring), service, EVENTS[service]))
        yield OwnLog(log, keyring, codec)
