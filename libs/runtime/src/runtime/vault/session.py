"""A session with Vault that stays signed in."""

import asyncio
import logging
import random
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self, TypeVar

import hvac
from eventstore.backoff import Backoff

from runtime.secret_reference import SecretUnreadable
from runtime.vault.connection import VaultConnection
from runtime.vault.errors import SignInRefused, VaultDenied, VaultUnavailable
from runtime.vault.sign_in import AppRoleSignIn, VaultToken

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_BACKOFF: Final = Backoff(first=0.5, longest=30.0)
_UP: Final = frozenset({200, 429, 472, 473})


class VaultSession:
    """Signs in, renews its token at two thirds of its life and signs in anew when it may not.

    Entering signs in and raises one of VaultUnavailable's family when that fails; `stay_signed_in`
    renews; leaving revokes the token, and with it every lease that was had by it. `generation`
    counts the sign-ins: leases of an older one end with its token.
    """

    def __init__(self, connection: VaultConnection, sign_in: AppRoleSignIn) -> None:
        self._connection = connection
        self._sign_in = sign_in
        self._token = VaultToken("", 0, renewable=False)
        self._expires_at = 0.0
        self._signing_in = asyncio.Lock()
        self._changed = asyncio.Condition()
        self.generation = 0

    async def __aenter__(self) -> Self:
        await self._sign_in_anew(self._token)
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        try:
            await self._connection.run(
                self._token.text, lambda client: client.auth.token.revoke_self()
            )
        except VaultUnavailable:
            _log.warning("vault token could not be revoked; it ends by itself")

    async def call(self, operation: Callable[[hvac.Client], _T]) -> _T:
        """Run an operation with the session's token.

        Signs in anew when Vault no longer knows the token. Raises one of VaultUnavailable's family.
        """
        token = self._token
        try:
            return await self._connection.run(token.text, operation)
        except VaultDenied:
            if await self._is_good(token):
                raise
        await self._sign_in_anew(token)
        return await self._connection.run(self._token.text, operation)

    async def probe(self) -> None:
        """Raise VaultUnavailable unless Vault serves and the session is signed in."""
        answer = await self._connection.run(
            "", lambda client: client.sys.read_health_status(method="GET")
        )
        status = 200 if isinstance(answer, dict) else answer.status_code
        if status not in _UP:
            raise VaultUnavailable(f"Vault says {status}: it is sealed or not initialised")
        if _now() >= self._expires_at:
            raise VaultUnavailable("the sign-in with Vault has ended and could not be renewed")

    async def wait_for_sign_in_after(self, generation: int) -> None:
        """Return once the session signed in again after that generation."""
        async with self._changed:
            await self._changed.wait_for(lambda: self.generation > generation)

    async def _is_good(self, token: VaultToken) -> bool:
        if token is not self._token:
            return False
        try:
            await self._connection.run(token.text, lambda client: client.auth.token.lookup_self())
        except VaultDenied:
            return False
        return True

    async def _sign_in_anew(self, instead_of: VaultToken) -> None:
        """Sign in, unless another call did so since `instead_of` was the token."""
        async with self._signing_in:
            if self._token is not instead_of:
                return
            try:
                token = await self._sign_in.sign_in(self._connection)
            except SecretUnreadable as error:
                raise SignInRefused(str(error)) from None
            self._token = token
            self._expires_at = _now() + token.lifetime
        async with self._changed:
            self.generation += 1
            self._changed.notify_all()

    async def stay_signed_in(self) -> None:
        """Renew without end; the owner of the session runs this beside its own work."""
        failures = 0
        await asyncio.sleep(_until_renewal(self._token.lifetime))
        while True:
            try:
                left = await self._renewed()
            except VaultUnavailable as error:
                _log.warning("vault sign-in was not renewed", extra={"error": type(error).__name__})
                failures += 1
                await asyncio.sleep(_BACKOFF.after(failures))
                continue
            failures = 0
            await asyncio.sleep(_until_renewal(left))

    async def _renewed(self) -> float:
        """Renew the token, or sign in anew when it nears its longest life; gives seconds left."""
        token = self._token
        if token.renewable and _now() < self._expires_at:
            try:
                answer = await self._connection.run(
                    token.text, lambda client: client.auth.token.renew_self()
                )
            except VaultDenied:
                left = 0.0
            else:
                left = float(answer["auth"]["lease_duration"])
                self._expires_at = _now() + left
            if left > token.lifetime / 2:
                return left
        await self._sign_in_anew(token)
        return self._token.lifetime


def _until_renewal(lifetime: float) -> float:
    """Two thirds of a life, spread so that replicas do not renew together."""
    return lifetime * 2 / 3 * random.uniform(0.9, 1.0)  # noqa: S311  jitter, no secret


def _now() -> float:
    return asyncio.get_running_loop().time()
