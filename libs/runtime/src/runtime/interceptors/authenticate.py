"""Who calls, and for which tenant."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Protocol

from runtime.interceptors.call import IncomingCall
from runtime.metadata_keys import AUTHORIZATION, TENANT
from runtime.principal import Principal, PrincipalKind
from runtime.refusal import Refused
from runtime.tenant import ALL_TENANTS, is_tenant

_SCHEME: Final = "bearer "
_ACT_FOR_TENANTS: Final = (PrincipalKind.SERVICE, PrincipalKind.OPERATOR)


class Verifier(Protocol):
    """Tells who a token speaks for: TokenVerifier."""

    async def verify(self, text: str) -> Principal:
        """Give the principal; raises JwtInvalid, JwtExpired or SigningKeysUnavailable."""


class EndedSessions(Protocol):
    """Knows the sessions that ended before their tokens do: identity's events tell."""

    def has_ended(self, session: str) -> bool: ...


class Authenticate:
    """Takes the principal from the token; anonymous methods are called without one."""

    def __init__(self, verifier: Verifier, ended: EndedSessions | None = None) -> None:
        self._verifier = verifier
        self._ended = ended

    @asynccontextmanager
    async def __call__(self, call: IncomingCall) -> AsyncIterator[None]:
        if not call.method.anonymous:
            principal = await self._verifier.verify(_token(call))
            if self._ended is not None and self._ended.has_ended(principal.session):
                raise Refused("SESSION_ENDED")
            call.principal = principal
            call.tenant = _tenant(call, principal)
        yield


def _token(call: IncomingCall) -> str:
    value = call.text(AUTHORIZATION, twice="TOKEN_INVALID")
    if value is None:
        raise Refused("TOKEN_MISSING")
    if not value.lower().startswith(_SCHEME):
        raise Refused("TOKEN_INVALID")
    return value[len(_SCHEME) :].strip()


def _tenant(call: IncomingCall, principal: Principal) -> str:
    """Give the tenant that the call is for.

    Services and operators may name one; without, a service acts for all, an operator for its only
    one. Agents and frontends have theirs and can not name another.
    """
    named = call.text(TENANT, twice="DENIED_OR_ABSENT")
    if named is not None:
        if not is_tenant(named) or not principal.may_act_for(named):
            raise Refused("DENIED_OR_ABSENT")
        return named
    if len(principal.tenants) == 1:
        (only,) = principal.tenants
        return only
    return ALL_TENANTS
