"""Service accounts: made and stopped by operators, signed in as by channel frontends."""

import hmac
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol

from careline.identity.events.v1 import events_pb2 as events
from eventstore.decider import Rejected
from eventstore.execute import ConflictPersists, Executor, Request
from runtime.principal import Principal, PrincipalKind

from identity.application.access_tokens import AccessToken, AccessTokens
from identity.application.even_time import EvenTime
from identity.application.names import stream_of
from identity.domain import service_account as domain
from identity.domain.lockout import LockoutPolicy

SECRET_BYTES: Final = 32
_NOBODYS: Final = sha256(b"nobody has this secret").digest()


@dataclass(frozen=True, slots=True)
class KeptSecret:
    """SHA-256 of a secret (256 random bits need no slower hash), and itself until its first use."""

    digest: bytes = field(repr=False)
    secret: str | None = field(default=None, repr=False)


class Secrets(Protocol):
    """Keeps the secrets of service accounts."""

    async def read(self, tenant: str, account: str) -> KeptSecret | None: ...

    async def put(self, tenant: str, account: str, kept: KeptSecret) -> None:
        """Keep it unless the account has one."""

    async def forget(self, tenant: str, account: str) -> None:
        """Keep the digest alone from now on."""


@dataclass(frozen=True, slots=True)
class CreatedAccount:
    """A new account and its secret, which is empty once it was used."""

    name: str
    secret: str = field(repr=False)
    position: int


@dataclass(frozen=True, slots=True)
class AccountRules:
    """By which numbers and which clock service accounts sign in."""

    lockout: LockoutPolicy
    access: timedelta
    even_time: EvenTime
    now: Callable[[], datetime]


class ServiceAccounts:
    """Use cases within the tenant of the caller, or of the account that signs in."""

    def __init__(
        self, executor: Executor, kept: Secrets, tokens: AccessTokens, rules: AccountRules
    ) -> None:
        self._executor = executor
        self._kept = kept
        self._tokens = tokens
        self._rules = rules

    async def create(
        self, display_name: str, channels: tuple[str, ...], request: Request
    ) -> CreatedAccount:
        """Make an account. The same request again gives the same secret until it was used."""
        name = f"serviceAccounts/{request.ids(0)}"
        stream = stream_of(name)
        done = await self._executor.execute(
            stream,
            domain.DECIDER,
            lambda account: domain.create(account, display_name=display_name, channels=channels),
            subject=name,
            request=request,
        )
        fresh = secrets.token_urlsafe(SECRET_BYTES)
        await self._kept.put(stream.tenant, name, KeptSecret(_digest(fresh), fresh))
        kept = await self._kept.read(stream.tenant, name)
        secret = kept.secret if kept is not None and kept.secret is not None else ""
        return CreatedAccount(name, secret, done.position)

    async def disable(self, name: str, reason: str, request: Request) -> int:
        """Stop an account; gives the log's position. Its last token ends by itself."""
        done = await self._executor.execute(
            stream_of(name),
            domain.DECIDER,
            lambda account: domain.disable(account, reason),
            subject=name,
            request=request,
        )
        return done.position

    async def issue_token(
        self, name: str, secret: str, known_by: Callable[[], Awaitable[Request]]
    ) -> AccessToken:
        """Give a token for a secret. Raises Rejected (SIGN_IN_REFUSED) for every reason alike.

        `known_by` makes the Request once the account is known to be there: not for any tenant
        that somebody writes.
        """
        async with self._rules.even_time.answering():
            try:
                return await self._issue_token(name, secret, known_by)
            except ConflictPersists:
                raise Rejected("SIGN_IN_REFUSED") from None

    async def _issue_token(
        self, name: str, secret: str, known_by: Callable[[], Awaitable[Request]]
    ) -> AccessToken:
        stream, now = stream_of(name), self._rules.now()
        kept = await self._kept.read(stream.tenant, name)
        right = hmac.compare_digest(_digest(secret), kept.digest if kept else _NOBODYS)
        account = (await self._executor.load(stream, domain.DECIDER)).state
        if kept is None or account.disabled or account.secret.is_locked(now):
            raise Rejected("SIGN_IN_REFUSED")
        token = await self._signed(stream.tenant, name, account.channels) if right else None
        done = await self._executor.execute(
            stream,
            domain.DECIDER,
            lambda state: domain.issue_token(
                state,
                right=right,
                token_id=token.id if token else "",
                expires=token.expires if token else now,
                at=now,
                policy=self._rules.lockout,
            ),
            subject=name,
            request=await known_by(),
        )
        issued = any(isinstance(event, events.ServiceAccountTokenIssued) for event in done.events)
        if token is None or not issued:
            raise Rejected("SIGN_IN_REFUSED")
        if kept.secret is not None:
            await self._kept.forget(stream.tenant, name)
        return token

    async def _signed(self, tenant: str, name: str, channels: tuple[str, ...]) -> AccessToken:
        principal = Principal(
            PrincipalKind.FRONTEND, name, frozenset({tenant}), channels=frozenset(channels)
        )
        return await self._tokens.issue(principal, self._rules.access)


def _digest(secret: str) -> bytes:
    return sha256(secret.encode()).digest()
