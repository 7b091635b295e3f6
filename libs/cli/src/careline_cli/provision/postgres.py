"""Databases, roles and schemas: owners own, runtimes use, Vault makes who logs in."""

from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

VAULT_ADMIN = "vault_admin"


@dataclass(frozen=True, slots=True)
class Schema:
    """A schema: neither its owner nor its users log in; Vault makes logins that are users."""

    name: str
    owner: str
    users: tuple[str, ...]


def service_schema(service: str) -> Schema:
    return Schema(service, f"{service}_owner", (f"{service}_runtime",))


def keyring_schema() -> Schema:
    return Schema("keyring", "keyring_owner", ("keyring_runtime", "keyring_eraser"))


async def create_database(server: AsyncEngine, name: str) -> None:
    """Create a database if absent, closed to everyone who is granted nothing."""
    autocommit = server.execution_options(isolation_level="AUTOCOMMIT")
    async with autocommit.connect() as connection:
        found = await connection.scalar(
            text("select 1 from pg_database where datname = :name"), {"name": name}
        )
        if found is None:
            await connection.execute(text(f'create database "{name}" template template0'))
        await connection.execute(text(f'revoke all on database "{name}" from public'))


async def create_roles(
    database: AsyncEngine, name: str, schemas: Iterable[Schema], admin_password: str
) -> None:
    """Create what is absent of roles and schemas, and let Vault's login grant the users' roles.

    `admin_password` becomes the password of Vault's login; Vault replaces it at once.
    """
    async with database.begin() as connection:
        await _create_admin(connection, name, admin_password)
        for schema in schemas:
            await _create_schema(connection, name, schema)


async def _create_admin(connection: AsyncConnection, database: str, password: str) -> None:
    await _create_role(connection, VAULT_ADMIN, "login createrole")
    literal = await connection.scalar(text("select quote_literal(:value)"), {"value": password})
    await connection.exec_driver_sql(f"alter role {VAULT_ADMIN} password {literal}")
    await connection.execute(text(f"grant pg_signal_backend to {VAULT_ADMIN}"))
    await connection.execute(
        text(f'grant connect on database "{database}" to {VAULT_ADMIN} with grant option')
    )


async def _create_schema(connection: AsyncConnection, database: str, schema: Schema) -> None:
    await _create_role(connection, schema.owner, "nologin")
    # Each build of a read model is a schema of its own.
    await connection.execute(text(f'grant create on database "{database}" to {schema.owner}'))
    await connection.execute(
        text(f"create schema if not exists {schema.name} authorization {schema.owner}")
    )
    for user in schema.users:
        await _create_role(connection, user, "nologin")
        await connection.execute(text(f'grant connect on database "{database}" to {user}'))
        await connection.execute(text(f"grant usage on schema {schema.name} to {user}"))
        await connection.execute(text(f"grant {user} to {VAULT_ADMIN} with admin option"))


async def _create_role(connection: AsyncConnection, role: str, options: str) -> None:
    found = await connection.scalar(
        text("select 1 from pg_roles where rolname = :role"), {"role": role}
    )
    if found is None:
        await connection.execute(text(f"create role {role} {options}"))


def creation_statements(users: Iterable[str]) -> list[str]:
    """Statements by which Vault makes a login that is one of these users."""
    template = files(__package__).joinpath("create_login.sql").read_text()
    return [template.replace("@users@", ", ".join(users))]


def revocation_statements() -> list[str]:
    """Statements by which Vault ends a login: its sessions first, then the role."""
    return [files(__package__).joinpath("drop_login.sql").read_text()]


async def drop_logins(connection: AsyncConnection) -> int:
    """End every login that Vault has made on this server, as Vault would; gives how many."""
    made = text(
        "select rolname from pg_roles where rolcanlogin and rolvaliduntil is not null "
        "and rolname ~ '^v-[A-Za-z0-9_-]+$'"
    )
    names = (await connection.scalars(made)).all()
    for name in names:
        for statement in revocation_statements():
            # One at a time, cut where Vault cuts.
            for one in statement.replace("{{name}}", name).split(";"):
                if one.strip():
                    await connection.exec_driver_sql(one)
    return len(names)
