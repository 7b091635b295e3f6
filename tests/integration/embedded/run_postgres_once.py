"""Start PostgreSQL on the folder named, print user, process owner and wheel, and stop it."""

import asyncio
import sys
from pathlib import Path

import asyncpg
from embedded import EmbeddedServerError, PostgresServer, running
from embedded.wheels import postgres_folder


async def main(folder: Path) -> str:
    try:
        async with running(PostgresServer(folder, durable=False)) as server:
            connection = await asyncpg.connect(server.dsn(), timeout=10)
            user = await connection.fetchval("SELECT current_user")
            await connection.close(timeout=10)
            owner = (folder / "cluster").stat().st_uid
    except EmbeddedServerError as error:
        return str(error)
    return f"{user} {owner} {postgres_folder().parents[1]}"


sys.stdout.write(asyncio.run(main(Path(sys.argv[1]))))
