"""Reaches read models by two roles: their schema's owner, and the service that feeds them.

What the command makes, marks, switches and drops it does as the owner. What it reads and writes of
rows it does as the service itself would: signed in as it, with its keys, by its own code.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from embedded import PostgresServer
from eventstore.postgres.build_owner import BuildOwner, OwnedSchema
from eventstore.rebuilding.replay import ReadModelSource
from runtime.background import beside
from runtime.service import Service, composed
from runtime.service_parts import real_parts
from runtime.settings import PREFIX, SettingsRefused, StoreSettings, load_settings
from runtime.telemetry.telemetry import collected_by
from sqlalchemy.ext.asyncio import AsyncEngine

from careline_cli.command_error import CommandError
from careline_cli.platform.admitted_environment import admitted_environment
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.provision.external import external_platform, settings_of
from careline_cli.provision.postgres import service_schema
from careline_cli.provision.provisioned import PLATFORM_DATABASE, superuser_engine

OWNERS_FILES: Final = ("OWNER_ROLE_ID_FILE", "OWNER_SECRET_ID_FILE")
"""Beside a service's own environment: with what the owner's login is taken from Vault."""
Environment = Callable[[str], AbstractAsyncContextManager[Mapping[str, str]]]
"""Gives the variables that a service would be started with."""


class ProjectionAccess:
    """Opens the read models of one service after another; `engine` may become their owners."""

    def __init__(self, engine: AsyncEngine, environment: Environment) -> None:
        self._engine = engine
        self._environment = environment

    def owner(self, service: str) -> BuildOwner:
        schema = service_schema(service)
        (runtime_role,) = schema.users
        return BuildOwner(OwnedSchema(self._engine, schema.name, schema.owner, runtime_role))

    @asynccontextmanager
    async def source(self, service: str, projection: str) -> AsyncIterator[ReadModelSource]:
        """Compose the service as it would run, without serving or following anything.

        Raises CommandError when its settings are refused, or it has no such projection any more.
        """
        declared: Service[Any] = getattr(import_module(f"{service}.compose"), service.upper())
        async with self._environment(service) as environment:
            try:
                settings = load_settings(declared.settings, environment)
            except SettingsRefused as refused:
                raise CommandError("; ".join(refused.complaints)) from None
            async with (
                collected_by(settings.service_name, settings.otlp_endpoint) as telemetry,
                real_parts(settings, telemetry) as parts,
                composed(declared, settings, parts) as runtime,
                beside(*parts.background),
            ):
                if projection not in runtime.projections:
                    raise CommandError(f"{service} has no projection {projection} any more")
                yield ReadModelSource(
                    runtime.log, parts.queries, service, runtime.projections[projection]
                )


@asynccontextmanager
async def local_access(data: DataDirectory) -> AsyncIterator[ProjectionAccess]:
    """Reach a platform that runs on this machine; raises DataDirectoryError."""
    data.addresses()  # refuses where none runs

    @asynccontextmanager
    async def environment(service: str) -> AsyncIterator[Mapping[str, str]]:
        with tempfile.TemporaryDirectory(dir=data.services / service) as folder:
            yield await asyncio.to_thread(admitted_environment, data, service, Path(folder))

    async with superuser_engine(
        PostgresServer(data.root / "postgres"), PLATFORM_DATABASE
    ) as engine:
        yield ProjectionAccess(engine, environment)


@asynccontextmanager
async def external_access() -> AsyncIterator[ProjectionAccess]:
    """Reach a database elsewhere, by this process's environment: a service's, and the owner's two.

    Raises CommandError.
    """
    variables = dict(os.environ)
    owners = [variables.pop(f"{PREFIX}{name}", "") for name in OWNERS_FILES]
    if not all(owners):
        raise CommandError(f"give {' and '.join(PREFIX + name for name in OWNERS_FILES)}")
    variables.pop(f"{PREFIX}ARCHIVE_URL", None)
    settings = settings_of(StoreSettings, _of_owner(variables, *owners))

    @asynccontextmanager
    async def environment(_service: str) -> AsyncIterator[Mapping[str, str]]:
        yield variables

    async with external_platform(settings) as engine:
        yield ProjectionAccess(engine, environment)


def _of_owner(
    variables: Mapping[str, str], role_id_file: str, secret_id_file: str
) -> dict[str, str]:
    """Give what a migration is told of a service's variables, with the owner's way to sign in."""
    names = (f"{PREFIX}{name.upper()}" for name in StoreSettings.model_fields)
    return {name: variables[name] for name in names if name in variables} | {
        f"{PREFIX}VAULT_ROLE_ID_FILE": role_id_file,
        f"{PREFIX}VAULT_SECRET_ID_FILE": secret_id_file,
    }
