"""Where an engine's logins come from."""

from typing import Protocol

from runtime.vault.database_login import DatabaseLogin


class LoginSource(Protocol):
    """Makes and ends logins: Vault's database engine."""

    async def create(self, role: str) -> DatabaseLogin:
        """Have a new login made."""

    async def revoke(self, login: DatabaseLogin) -> None:
        """Have a login ended, its sessions included."""

    async def superseded(self, login: DatabaseLogin) -> None:
        """Return once the login is about to end before its lease does."""
