"""Engines on asyncpg over a Unix socket or verify-full TLS."""

import ssl
from collections.abc import Callable, Mapping
from typing import Any, Final

import asyncpg
from sqlalchemy import URL, Dialect, event
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from runtime.addresses import DatabaseAddress
from runtime.database.errors import DatabaseUnavailable
from runtime.vault.database_login import DatabaseLogin

CONNECT_SECONDS: Final = 5.0
_POOL_WAIT_SECONDS: Final = 5.0


def create_engine(
    address: DatabaseAddress,
    login: Callable[[], DatabaseLogin],
    *,
    application_name: str,
    server_settings: Mapping[str, str],
    pool_size: int,
) -> AsyncEngine:
    """Make an engine that takes the login of each new connection from `login`.

    `server_settings` are set for every session of it. No connection is opened yet. Connecting
    raises DatabaseUnavailable.
    """
    settings = {"application_name": application_name, **server_settings}
    engine = create_async_engine(
        URL.create("postgresql+asyncpg", database=address.database, port=address.port),
        connect_args={"timeout": CONNECT_SECONDS, "server_settings": settings, **_place(address)},
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=_POOL_WAIT_SECONDS,
        pool_pre_ping=False,
        pool_use_lifo=True,
        hide_parameters=True,
    )
    event.listen(engine.sync_engine, "do_connect", _connecting(address.database, login))
    return engine


def _place(address: DatabaseAddress) -> dict[str, Any]:
    if address.socket_dir is not None:
        return {"host": str(address.socket_dir), "ssl": False}
    return {"host": address.host, "ssl": ssl.create_default_context(cafile=address.ca_file)}


def _connecting(database: str, login: Callable[[], DatabaseLogin]) -> Callable[..., object]:
    def connect(
        dialect: Dialect, _record: object, arguments: tuple[Any, ...], parameters: dict[str, Any]
    ) -> object:
        current = login()
        parameters.update(user=current.username, password=current.password)
        driver_error: type[Exception] = dialect.loaded_dbapi.Error
        try:
            return dialect.connect(*arguments, **parameters)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, driver_error) as error:
            raise DatabaseUnavailable(
                f"no connection to database {database} ({type(error).__name__}); check that it "
                "runs and takes the login that Vault made"
            ) from None

    return connect
