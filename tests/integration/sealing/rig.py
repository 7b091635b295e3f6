"""A keyring's database with its logins, and keyrings on it as processes have them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import hvac
from integration.sealing.transit import HvacTransit
from sealing.keyring import Keyring, Limits
from sealing.keyring.migrate import migrate, prepare
from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

RUNTIME = ("keyring_runtime",)
ERASING = ("keyring_runtime", "keyring_eraser")


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, slots=True)
class Process:
    """What one process of a service has: its connections, its Vault, its keyring, its time."""

    engine: AsyncEngine
    transit: HvacTransit
    keyring: Keyring
    clock: Clock


@dataclass(frozen=True, slots=True)
class Rig:
    """The superuser's engine, and the processes' way in."""

    engine: AsyncEngine
    url: URL
    vault: Callable[[], hvac.Client]
    stack: AsyncExitStack
    logins: dict[tuple[str, ...], URL] = field(default_factory=dict)

    async def process(
        self, *, roles: tuple[str, ...] = RUNTIME, limits: Limits | None = None
    ) -> Process:
        """Start another process with a login that is a member of the roles."""
        engine = create_async_engine(self.logins[roles])
        self.stack.push_async_callback(engine.dispose)
        transit, clock = HvacTransit(self.vault()), Clock()
        keyring = Keyring(engine, transit, limits=limits, clock=clock)
        await self.stack.enter_async_context(keyring)
        return Process(engine, transit, keyring, clock)

    async def rows(self, query: str, **values: object) -> list[Any]:
        """Read as superuser."""
        async with self.engine.connect() as connection:
            return list(await connection.execute(text(query), values))

    @asynccontextmanager
    async def session(
        self, roles: tuple[str, ...], tenant: str | None
    ) -> AsyncIterator[AsyncConnection]:
        """Open a transaction as such a login, for one tenant; it is rolled back."""
        engine = create_async_engine(self.logins[roles])
        try:
            async with engine.connect() as connection:
                if tenant is not None:
                    await connection.execute(
                        text("SELECT set_config('careline.tenant', :tenant, true)"),
                        {"tenant": tenant},
                    )
                yield connection
        finally:
            await engine.dispose()


@asynccontextmanager
async def keyring_rig(
    engine: AsyncEngine, url: URL, vault: Callable[[], hvac.Client]
) -> AsyncIterator[Rig]:
    """Prepare and migrate the database, and make a login for each set of roles."""
    await prepare(engine)
    await migrate(engine)
    names: list[str] = []
    async with AsyncExitStack() as stack:
        rig = Rig(engine, url, vault, stack)
        for roles in (RUNTIME, ERASING):
            name, password = f"login_{uuid4().hex}", uuid4().hex
            login = f"CREATE ROLE {name} LOGIN PASSWORD '{password}' IN ROLE {', '.join(roles)}"
            async with engine.begin() as connection:
                await connection.execute(text(login))
            names.append(name)
            rig.logins[roles] = url.set(username=name, password=password)
        yield rig
    async with engine.begin() as connection:
        for name in names:
            await connection.execute(text(f"DROP ROLE {name}"))
