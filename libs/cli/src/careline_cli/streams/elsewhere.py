"""The streams of NATS that others run, read for what an archive lacks."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from messaging.connect import connect
from messaging.left_out import LeftOut
from messaging.names import Consumption
from messaging.published_tail import PublishedTail
from pydantic import Field
from runtime.addresses import ServerUrl
from runtime.secret_reference import SecretFile, SecretUnreadable
from runtime.service_messaging import NatsAccess
from runtime.settings import StoreSettings
from sqlalchemy.ext.asyncio import AsyncEngine

from careline_cli.command_error import CommandError
from careline_cli.streams.renewal import Renewal

READER = "restore"
"""The user of NATS; its consumers are named `restore_tail`."""


class RestoreSettings(StoreSettings):
    """Where databases elsewhere are, and NATS, if its streams are to be read."""

    nats_url: ServerUrl | None = Field(
        None, description="NATS's URL, tls:// or on loopback also nats://"
    )
    nats_ca_file: str | None = Field(
        None, pattern=r"^/", description="the absolute path of the PEM CA of NATS"
    )
    nats_creds_file: SecretFile | None = Field(
        None, description="the absolute path of the .creds file of NATS's user restore"
    )


class StreamsElsewhere:
    """Those of NATS elsewhere, by a user that may only read them; others make them anew."""

    def __init__(self, access: NatsAccess) -> None:
        self._access = access

    @asynccontextmanager
    async def tail(self, service: str) -> AsyncIterator[PublishedTail]:
        reading = Consumption(READER, service, "tail")
        access = self._access
        connected = await connect(
            [str(access.url)], user=READER, creds=await access.credentials(), tls=access.tls()
        )
        async with connected as client:
            yield PublishedTail(client, reading)

    async def settle(
        self, service: str, archived: Mapping[int, int], engine: AsyncEngine, *, leaves_out: bool
    ) -> Renewal:
        del leaves_out  # nothing is deleted here
        async with self.tail(service) as tail:
            number, first = await LeftOut(tail, archived, engine, service).count()
        return Renewal(False, number, first)


def streams_elsewhere(settings: RestoreSettings) -> StreamsElsewhere | None:
    """Give the streams of the NATS that is named, None when none is; raises CommandError."""
    if settings.nats_url is None:
        return None
    if settings.nats_creds_file is None:
        raise CommandError("CARELINE_NATS_CREDS_FILE is missing: CARELINE_NATS_URL needs it")
    try:
        creds = settings.nats_creds_file.read()
    except SecretUnreadable as error:
        raise CommandError(str(error)) from None

    async def credentials() -> str:
        return creds

    return StreamsElsewhere(NatsAccess(settings.nats_url, credentials, settings.nats_ca_file))
