"""A rebuild in a process of its own, to be killed: its arguments are database, schema and roles."""

import asyncio
import sys

from eventstore.postgres import PostgresEventLog
from eventstore.postgres.build_owner import BuildOwner, OwnedSchema
from eventstore.rebuilding.rebuild import Rebuild
from eventstore.rebuilding.replay import ReadModelSource
from eventstore.testing.example_projection import Sightings
from sqlalchemy.ext.asyncio import create_async_engine


def tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def say(step: str, done: int, total: int) -> None:
    tell(f"{step} {done} {total}")


async def main(url: str, schema: str, owner_role: str, runtime_role: str) -> None:
    superuser = create_async_engine(url)
    runtime = create_async_engine(url, connect_args={"server_settings": {"role": runtime_role}})
    owner = BuildOwner(OwnedSchema(superuser, schema, owner_role, runtime_role))
    async with PostgresEventLog(runtime, schema) as log:
        source = ReadModelSource(log, runtime, schema, Sightings(schema))
        rebuilt = await Rebuild(source, owner, say).run()
    tell("verified" if rebuilt.verified else "differs")
    for engine in (superuser, runtime):
        await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
