"""An agent's account as it is asked for and shown, and what making one needs of others."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AgentDraft:
    """What an agent is made of."""

    tenant: str
    user_name: str = field(repr=False)
    display_name: str = field(repr=False)
    roles: tuple[str, ...]
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AgentView:
    """An agent as operators see it, and the position of the log that has it so."""

    name: str
    user_name: str = field(repr=False)
    display_name: str = field(repr=False)
    roles: tuple[str, ...]
    suspended: bool
    revision: int
    created: datetime
    position: int = 0


@dataclass(frozen=True, slots=True)
class Enrolment:
    """An authenticator's seed, shown once."""

    user_name: str = field(repr=False)
    seed: bytes = field(repr=False)
    position: int


class HashedPassword(Protocol):
    """What is kept of a password, and what a repeated request is compared by."""

    @property
    def encoded(self) -> str: ...

    @property
    def tag(self) -> bytes: ...


class PasswordHasher(Protocol):
    """Hashes passwords."""

    async def hash(self, password: str, salt: bytes) -> HashedPassword: ...


class UserNames(Protocol):
    """Blind index of user names."""

    async def of_user_name(self, tenant: str, normal_name: str) -> str: ...
