"""A service's log and keys, reached as the service itself reaches them: by its AppRole."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from careline.conversations.events.v1 import events_pb2 as conversations_events
from careline.patient_context.events.v1 import events_pb2 as patient_events
from eventstore.event_log import EventLog
from eventstore.postgres import PostgresEventLog
from eventstore.postgres.bounds import DEFAULT_BOUNDS
from google.protobuf.message import Message
from messaging.replication import StreamReplication
from runtime.database.leased_engine import LeasedDatabase
from runtime.event_codec import LogCodec
from runtime.service_parts import signed_in
from runtime.settings import PREFIX, StoreSettings, load_settings
from runtime.vault.database_login import DatabaseLogins
from runtime.vault.transit import KeyringTransit
from sealing.event_codec import EventCodec
from sealing.keyring.keyring import Keyring
from sealing.sealer import Sealer

from careline_cli.platform.admitted_environment import admitted_environment
from careline_cli.platform.data_directory import DataDirectory

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
    folder.mkdir(mode=0o700, parents=True)
    given = admitted_environment(data, service, folder)
    known = {f"{PREFIX}{name.upper()}" for name in StoreSettings.model_fields}
    return Access(service, {name: given[name] for name in sorted(known & given.keys())})


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
