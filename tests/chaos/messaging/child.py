"""A relay or a consumer as a process of its own, to be killed.

Run as a script; what it needs, secrets among it, comes as JSON on standard input.
"""

import asyncio
import json
import os
import signal
import sys
from dataclasses import asdict, dataclass, field

from eventstore.postgres import PostgresEventLog
from integration.messaging.consumer_rig import CONSUMPTION, SCHEMA, write_down
from messaging.acknowledger import Acknowledger
from messaging.connect import NatsClient, connect
from messaging.consumer import Consumer
from messaging.handling import Handling
from messaging.lease import Lease
from messaging.log_reader import OwnLogReader
from messaging.relay import Relay
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


@dataclass(frozen=True, slots=True)
class ChildSettings:
    """`part`: "relay", "consumer", or one of the `DEADLY`."""

    part: str
    database: str = field(repr=False)
    servers: list[str]
    user: str
    creds: str = field(repr=False)

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()


DEADLY_RELAY = "relay that dies before it notes what it published"
DEADLY_CONSUMER = "consumer that dies before it acknowledges"


class DeadlyRelay(Relay):
    """Ends the process between the stream's acknowledgement and the checkpoint."""

    async def _keep_checkpoint(self, _lease: Lease, _epoch: int) -> None:
        after = self._progress.position
        while self._progress.position == after:
            self._moved.clear()
            await self._moved.wait()
        os.kill(os.getpid(), signal.SIGKILL)


class DeadlyAcknowledger(Acknowledger):
    """Ends the process between commit and acknowledgement."""

    def done(self, _message: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


async def main() -> None:
    settings = ChildSettings(**json.load(sys.stdin))
    engine = create_async_engine(settings.database, pool_size=12)
    client = await connect(settings.servers, user=settings.user, creds=settings.creds)
    async with client, PostgresEventLog(engine, "conversations") as log:
        if "relay" in settings.part:
            kind = DeadlyRelay if settings.part == DEADLY_RELAY else Relay
            await kind(log, engine, "conversations", "conversations", client).run()
        else:
            if settings.part == DEADLY_CONSUMER:
                sys.modules["messaging.consumer"].__dict__["Acknowledger"] = DeadlyAcknowledger
            await consumer(engine, log, client).run()


def consumer(engine: AsyncEngine, log: PostgresEventLog, client: NatsClient) -> Consumer:
    handling = Handling(SCHEMA, write_down)
    reader = OwnLogReader(log, "conversations")
    return Consumer(engine, SCHEMA, client, CONSUMPTION, handling, reader)


if __name__ == "__main__":
    asyncio.run(main())
