"""Migrates databases that others run, by logins that Vault makes for it, and opens them so."""

import os
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import TypeVar

from runtime.addresses import DatabaseAddress
from runtime.database.errors import DatabaseUnavailable
from runtime.database.leased_engine import LeasedDatabase
from runtime.service_names import SERVICES
from runtime.service_parts import signed_in
from runtime.settings import SettingsRefused, StoreSettings, load_settings
from runtime.vault.database_login import DatabaseLogins
from runtime.vault.errors import VaultUnavailable
from runtime.vault.session import VaultSession
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from careline_cli.command_error import CommandError
from careline_cli.provision.migrations import migrate_keyring, migrate_platform

_SETTINGS = TypeVar("_SETTINGS", bound=StoreSettings)
LOGIN = "migrations"
KEYRING_LOGIN = "keyring-migrations"
KEYRING_SCHEMA = "keyring"


class MigrationRefused(CommandError):
    """A database could not be migrated; the text says which and what to do."""


async def migrate_external(settings: StoreSettings, say: Callable[[str], None]) -> tuple[str, ...]:
    """Bring every schema of both databases to its newest version; gives their names.

    What is up to date stays as it is. Each step is all or nothing, so that a run after a failed one
    goes on. Raises MigrationRefused.
    """
    async with AsyncExitStack() as stack:
        vault = await stack.enter_async_context(_vault(settings))
        platform = await stack.enter_async_context(_engine(vault, settings.database, LOGIN))
        for service in SERVICES:
            say(f"{settings.database.database}: schema {service}")
            with explained(service, "migrated"):
                await migrate_platform(platform, (service,))
        address = settings.keyring_database
        keyring = await stack.enter_async_context(_engine(vault, address, KEYRING_LOGIN))
        say(f"{address.database}: schema {KEYRING_SCHEMA}")
        with explained(KEYRING_SCHEMA, "migrated"):
            await migrate_keyring(keyring)
    return (*SERVICES, KEYRING_SCHEMA)


def settings_of_environment(kind: type[_SETTINGS]) -> _SETTINGS:
    """Read where databases elsewhere are, as services read it; raises CommandError."""
    return settings_of(kind, os.environ)


def settings_of(kind: type[_SETTINGS], variables: Mapping[str, str]) -> _SETTINGS:
    """Read the same of given variables; raises CommandError."""
    try:
        return load_settings(kind, variables)
    except SettingsRefused as refused:
        raise CommandError("; ".join(refused.complaints)) from None


@asynccontextmanager
async def external_platform(settings: StoreSettings) -> AsyncIterator[AsyncEngine]:
    """Open the platform's database as its schemas' owners; raises MigrationRefused."""
    async with _vault(settings) as vault, _engine(vault, settings.database, LOGIN) as engine:
        yield engine


@asynccontextmanager
async def _vault(settings: StoreSettings) -> AsyncIterator[VaultSession]:
    async with AsyncExitStack() as stack:
        try:
            session = await stack.enter_async_context(signed_in(settings))
        except VaultUnavailable as error:
            raise MigrationRefused(str(error)) from None
        yield session


@asynccontextmanager
async def _engine(
    vault: VaultSession, address: DatabaseAddress, login: str
) -> AsyncIterator[AsyncEngine]:
    async with AsyncExitStack() as stack:
        leased = LeasedDatabase(address, DatabaseLogins(vault), login)
        try:
            await stack.enter_async_context(leased)
        except VaultUnavailable as error:
            raise MigrationRefused(
                f"no login to database {address.database} by Vault's database role {login}: {error}"
                "; and that it reaches the database"
            ) from None
        yield leased.engine("migrations", pool_size=1)


@contextmanager
def explained(schema: str, done: str) -> Iterator[None]:
    """Turn what the database's administrator can act on into one line."""
    try:
        yield
    except DatabaseUnavailable as error:
        raise MigrationRefused(str(error)) from None
    except DBAPIError as error:
        remedy = _remedy(schema, getattr(error.orig, "sqlstate", None))
        if remedy is None:
            raise
        raise MigrationRefused(f"schema {schema} was not {done}: {remedy}") from None


def _remedy(schema: str, state: str | None) -> str | None:
    match state:
        case "42501":
            return (
                f"the login lacks a right; make schema {schema} one of role {schema}_owner, the "
                "logins of Vault's database role members of that, and let it create in the database"
            )
        case "22023":
            return f"there is no role {schema}_owner; make the roles first"
        case "42P01":
            return "it has no tables yet; run careline migrate first"
        case "55P03":
            return "another migration holds the lock; run this again when it has ended"
        case _:
            return None
