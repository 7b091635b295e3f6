"""Every row of every table of a PostgreSQL cluster, decoded and decompressed by the server."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from e2e.clear_scan.piece import Piece
from embedded import PostgresServer

CATALOGUE = {"pg_catalog", "information_schema"}
DATABASES = "select datname from pg_database where datallowconn order by datname"
# Tables and materialised views of all schemas, the catalogue's statistics and large objects, too.
TABLES = """
select n.nspname as schema, c.relname as table,
  array(
    select quote_ident(a.attname) from pg_attribute a join pg_type t on t.oid = a.atttypid
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and t.typsend <> 0
      and t.typname not in ('aclitem', '_aclitem', 'anyarray') -- no binary form
    order by a.attnum
  ) as columns
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'm') and n.nspname <> 'pg_toast' order by 1, 2
"""
FILES = """
select n.nspname || '.' || c.relname as name, pg_relation_filepath(c.oid) as file
from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r'
"""


async def postgres_rows(server: PostgresServer) -> AsyncIterator[Piece]:
    """Give each table of each database twice: as text, and as values are sent in binary, which has
    bytea and text as their own bytes. The store is `rows/SERVER/SCHEMA.TABLE`, or `rows/SERVER`
    for all of the catalogue.
    """
    async with connected(server, "postgres") as connection:
        databases = [row["datname"] for row in await connection.fetch(DATABASES)]
    for database in databases:
        async with connected(server, database) as connection:
            for schema, table, columns in await connection.fetch(TABLES):
                store = f"rows/{server.name}"
                if schema not in CATALOGUE:
                    store = f"{store}/{schema}.{table}"
                place = f"{database}.{schema}.{table}"
                whole = f'table "{schema}"."{table}"'
                yield Piece(store, f"{place} as text", await copied(connection, whole, "text"))
                chosen = f'select {", ".join(columns)} from "{schema}"."{table}"'  # noqa: S608 - the catalogue's names
                yield Piece(store, place, await copied(connection, chosen, "binary"))


async def table_files(server: PostgresServer, database: str) -> dict[str, str]:
    """Give the file of each table of a database, by `SCHEMA.TABLE`, below the cluster's folder."""
    async with connected(server, database) as connection:
        rows = await connection.fetch(FILES)
    return {row["name"]: row["file"] for row in rows}


async def checkpoint(server: PostgresServer) -> None:
    """Have the server write all it holds in memory to its tables' files."""
    async with connected(server, "postgres") as connection:
        await connection.execute("checkpoint")


async def copied(connection: "asyncpg.Connection[asyncpg.Record]", query: str, form: str) -> bytes:
    content = bytearray()

    async def take(data: bytes) -> None:
        content.extend(data)

    await connection.copy_from_query(query, output=take, format=form)
    return bytes(content)


@asynccontextmanager
async def connected(
    server: PostgresServer, database: str
) -> "AsyncIterator[asyncpg.Connection[asyncpg.Record]]":
    connection = await asyncpg.connect(server.dsn(database))
    try:
        yield connection
    finally:
        await connection.close()
