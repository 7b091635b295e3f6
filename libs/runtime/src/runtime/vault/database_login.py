"""Logins to PostgreSQL that Vault makes and ends."""

import asyncio
from dataclasses import dataclass, field

from runtime.vault.session import VaultSession


@dataclass(frozen=True, slots=True)
class DatabaseLogin:
    """A login and its lease. `ends_at` is on the event loop's clock."""

    username: str
    password: str = field(repr=False)
    lease_id: str
    lifetime: float
    ends_at: float
    generation: int
    """Which sign-in it was had by: it ends with that sign-in's token, whatever its lease says."""


class DatabaseLogins:
    """Vault's database engine. Every method raises one of VaultUnavailable's family."""

    def __init__(self, session: VaultSession) -> None:
        self._session = session

    async def create(self, role: str) -> DatabaseLogin:
        """Have a new login made."""
        generation = self._session.generation
        answer = await self._session.call(
            lambda client: client.secrets.database.generate_credentials(role)
        )
        lifetime = float(answer["lease_duration"])
        return DatabaseLogin(
            answer["data"]["username"],
            answer["data"]["password"],
            answer["lease_id"],
            lifetime,
            asyncio.get_running_loop().time() + lifetime,
            generation,
        )

    async def revoke(self, login: DatabaseLogin) -> None:
        """Have a login ended, its sessions included."""
        await self._session.call(lambda client: client.sys.revoke_lease(login.lease_id))

    async def superseded(self, login: DatabaseLogin) -> None:
        """Return once the session signed in anew, so that the login's end is near."""
        await self._session.wait_for_sign_in_after(login.generation)
