"""Calls that every service refuses before its own code sees them, and what the caller learns."""

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import grpc
import pytest
from careline.log.events.v1.events_pb2 import AccessRefused
from google.rpc.error_details_pb2 import BadRequest
from runtime.error_answers import ERROR_ANSWERS
from runtime.errors import reason_from, status_from
from runtime.principal import Principal
from runtime.testing.local_keys import LocalKeys
from runtime.tokens.signing import Signer
from runtime.tokens.token import TokenIssuer
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

SECONDS: Final = 10
LIMIT: Final = 1_048_576
REFUSED: Final = AccessRefused.DESCRIPTOR.full_name
LONG_AGO: Final = 1_700_000_000.0


class BadCall(StrEnum):
    NO_TOKEN = "no token"
    FORGED_TOKEN = "forged token"
    EXPIRED_TOKEN = "expired token"
    NO_DEADLINE = "no deadline"
    NO_MESSAGE = "bytes that are no message"
    TOO_LARGE = "a message over 1 MiB"


REFUSALS: Final = {
    BadCall.NO_TOKEN: ("UNAUTHENTICATED", "TOKEN_MISSING"),
    BadCall.FORGED_TOKEN: ("UNAUTHENTICATED", "TOKEN_INVALID"),
    BadCall.EXPIRED_TOKEN: ("UNAUTHENTICATED", "TOKEN_EXPIRED"),
    BadCall.NO_DEADLINE: ("INVALID_ARGUMENT", "DEADLINE_REQUIRED"),
    BadCall.NO_MESSAGE: ("INVALID_ARGUMENT", "FIELD_INVALID"),
    BadCall.TOO_LARGE: ("RESOURCE_EXHAUSTED", "MESSAGE_TOO_LARGE"),
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a refused caller is told: code, reason, the fields that are named, and every byte."""

    code: str
    reason: str
    fields: tuple[str, ...]
    text: str

    @property
    def why(self) -> tuple[str, str]:
        return self.code, self.reason


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody whom a service's policies let call, and where it listens."""

    port: int
    signer: Signer
    key: str
    principal: Principal

    async def calls_badly(self, how: BadCall, method: str) -> Refusal:
        """Call a method, as "careline.routing.v1.RoutingService/Enqueue", in a way it refuses."""
        content = {
            BadCall.NO_MESSAGE: b"\xff\xff\xff\xff",
            BadCall.TOO_LARGE: b"\x0a" + bytes(LIMIT),
        }
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            call: grpc.aio.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(f"/{method}")
            return await refused(
                call(
                    content.get(how, b""),
                    timeout=None if how is BadCall.NO_DEADLINE else SECONDS,
                    metadata=await self._metadata(how),
                )
            )

    async def _metadata(self, how: BadCall) -> tuple[tuple[str, str], ...]:
        if how is BadCall.NO_TOKEN:
            return ()
        signer = LocalKeys() if how is BadCall.FORGED_TOKEN else self.signer
        with pytest.MonkeyPatch.context() as patch:
            if how is BadCall.EXPIRED_TOKEN:
                patch.setattr("runtime.tokens.token.time.time", lambda: LONG_AGO)
            token = await TokenIssuer(signer, self.key).issue(self.principal, 60)
        return (("authorization", f"Bearer {token}"), ("careline-purpose-of-use", "TREAT"))


@asynccontextmanager
async def log_unchanged(superuser: AsyncEngine, schema: str) -> AsyncIterator[None]:
    """Hold that the block appends nothing to a service's log but who was refused by policy."""
    query = text(f"select position from {schema}.event where type <> :refused order by position")  # noqa: S608 - a fixed name

    async def positions() -> list[int]:
        async with superuser.connect() as connection:
            return list(await connection.scalars(query, {"refused": REFUSED}))

    before = await positions()
    yield
    assert await positions() == before


async def refused(call: Awaitable[Any]) -> Refusal:
    """Give how a call is refused; a refusal's text is its reason's own and holds no value."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    error, status = raised.value, status_from(raised.value)
    assert status is not None, f"a refusal without a status: {error.code()}"
    reason = reason_from(error)
    assert status.message == error.details() == ERROR_ANSWERS[reason].text
    assert error.code() is ERROR_ANSWERS[reason].code
    text = f"{error.details()}{status}{error.debug_error_string()}{error.trailing_metadata()}"
    assert "Traceback" not in text
    assert ".py" not in text
    return Refusal(error.code().name, reason, _fields(status.details), text)


def _fields(details: Any) -> tuple[str, ...]:  # noqa: ANN401 - google.rpc has no types
    found = BadRequest()
    for detail in details:
        if detail.Unpack(found):
            return tuple(str(one.field) for one in found.field_violations)
    return ()
