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
from messaging.log_reader import OwnLogReader
from messaging.relay import Relay
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine


@dataclass(frozen=True, slots=True)
class ChildSettings:
    """`part`: "relay", "consumer", or "consumer that dies before it acknowledges"."""

    part: str
    database: str = field(repr=False)
    servers: list[str]
    user: str
    creds: str = field(repr=False)

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()


class DeadlyAcknowledger(Acknowledger):
    """Ends the process between commit and acknowledgement."""

    def done(self, _message: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


async def main() -> None:
    settings = ChildSettings(**json.load(sys.stdin))
    engine = create_async_engine(settings.database, pool_size=12)
    client = await connect(settings.servers, user=settings.user, creds=settings.creds)
    async with client, PostgresEventLog(engine, "conversations") as log:
        if settings.part == "relay":
            await Relay(log, engine, "conversations", "conversations", client).run()
        else:
            if settings.part != "consumer":
                sys.modules["messaging.consumer"].__dict__["Acknowledger"] = DeadlyAcknowledger
            await consumer(engine, log, client).run()


def consumer(engine: AsyncEngine, log: PostgresEventLog, client: NatsClient) -> Consumer:
    handling = Handling(SCHEMA, write_down)
    reader = OwnLogReader(log, "conversations")
    return Consumer(engine, SCHEMA, client, CONSUMPTION, handling, reader)


if __name__ == "__main__":
    asyncio.run(main())
