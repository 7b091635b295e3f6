"""Connects to NATS with our defaults: no giving up, no waiting for ever, denials are told."""

import asyncio
import logging
import random
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Self

from nats.aio.client import Client, RawCredentials, Server
from nats.aio.msg import Msg
from nats.errors import Error as NatsError

from messaging.denials import Denials, PermissionDenied, denied_subject
from messaging.header_lines import header_lines
from messaging.names import inbox_prefix

_PENDING_BYTES = 8 << 20
_FLUSH_SECONDS = 5.0
# A server takes 2 s to look everywhere for an account it does not know before it refuses.
_CONNECT_SECONDS = 5
_RETRY_SECONDS = 1
_PING_SECONDS = 10
_PINGS_UNANSWERED = 2
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 2.0

_log = logging.getLogger(__name__)


class NatsUnavailable(Exception):
    """No server could be reached in time."""


class CredentialsRefused(Exception):
    """The server does not know these credentials, or they are revoked or expired."""


class Interrupted(NatsError):
    """There is no connection, or it was lost before the answer: it may have been done or not."""


class ConnectionClosed(Exception):
    """The connection has ended for good: by ourselves, or because the server refused the user."""


class NatsClient(Client):
    """nats-py's client that knows when it is connected and what it was denied."""

    _parse_header_lines = staticmethod(header_lines)

    def __init__(self, user: str, inbox: str) -> None:
        super().__init__()
        self._user = user
        self._inbox = inbox
        self.denials = Denials(inbox)
        self._starting = True
        self._up = asyncio.Event()
        self._ended = asyncio.Event()
        self._down_callbacks: set[Callable[[], object]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def start(
        self, servers: Sequence[str], creds: str, tls: ssl.SSLContext | None, within: float
    ) -> None:
        """Connect with our defaults; `connect` says the rest."""
        try:
            async with asyncio.timeout(within):
                await self.connect(
                    servers=list(servers),
                    name=f"careline-{self._user}",
                    user_credentials=RawCredentials(creds),
                    inbox_prefix=self._inbox,
                    tls=tls,
                    error_cb=self._note_error,
                    disconnected_cb=self._note_down,
                    reconnected_cb=self._note_up,
                    closed_cb=self._note_closed,
                    max_reconnect_attempts=-1,
                    reconnect_to_server_handler=_after_a_pause,
                    reconnect_time_wait=_RETRY_SECONDS,
                    connect_timeout=_CONNECT_SECONDS,
                    ping_interval=_PING_SECONDS,
                    max_outstanding_pings=_PINGS_UNANSWERED,
                    pending_size=_PENDING_BYTES,
                    flush_timeout=_FLUSH_SECONDS,
                )
        except TimeoutError as error:
            raise NatsUnavailable(f"no NATS server answered within {within:g} s") from error
        finally:
            if not self.is_connected:
                await self.close()
        await self._note_up()

    async def request(
        self,
        subject: str,
        payload: bytes = b"",
        timeout: float = 0.5,  # noqa: ASYNC109 - the signature is nats-py's, which calls this
        old_style: bool = False,
        headers: dict[str, Any] | None = None,
    ) -> Msg:
        """Ask and return the answer.

        Raises PermissionDenied, and Interrupted when the connection is lost or gets lost, besides
        what nats-py raises.
        """
        if not self.is_connected:
            raise Interrupted("there is no connection to NATS at present")
        interrupted: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        with (
            self.denials.watch(subject) as denied,
            self.on_interruption(interrupted.cancel),
        ):
            asking = asyncio.ensure_future(
                super().request(subject, payload, timeout, old_style, headers)
            )
            first: set[asyncio.Future[Any]] = {asking, denied, interrupted}
            try:
                await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
                if denied.done() and not asking.done():
                    raise PermissionDenied(subject)
                if interrupted.done() and not asking.done():
                    raise Interrupted("the connection to NATS was lost before the answer")
                return await asking
            finally:
                asking.cancel()

    async def wait_connected(self) -> None:
        """Return while connected, else when reconnected. Raises ConnectionClosed."""
        await self._up.wait()
        if self.is_closed:
            raise ConnectionClosed("the connection to NATS is closed: connect anew")

    async def wait_closed(self, *, within: float) -> None:
        """Return when the connection has ended for good. Raises TimeoutError after `within` s."""
        async with asyncio.timeout(within):
            await self._ended.wait()

    @contextmanager
    def on_interruption(self, callback: Callable[[], object]) -> Iterator[None]:
        """Call back, inside the context, whenever the connection is lost."""
        self._down_callbacks.add(callback)
        try:
            yield
        finally:
            self._down_callbacks.discard(callback)

    async def _note_error(self, error: Exception) -> None:
        subject = denied_subject(str(error))
        if subject is not None:
            _log.warning("NATS denied a subject", extra={"subject": subject})
            self.denials.report(subject)
        elif self._starting and "authorization" in str(error).lower():
            raise CredentialsRefused("NATS refused the credentials: issue new ones") from error
        else:
            _log.debug("NATS client reports an error", extra={"error": type(error).__name__})

    async def _note_up(self) -> None:
        _log.info("connected to NATS")
        self._starting = False
        self._up.set()

    async def _note_down(self) -> None:
        if not self.is_closed:
            _log.warning("connection to NATS lost, reconnecting")
            self._up.clear()
        for callback in tuple(self._down_callbacks):
            callback()

    async def _note_closed(self) -> None:
        self._ended.set()
        # Those who wait for a connection are let go and find it closed.
        self._up.set()


async def connect(
    servers: Sequence[str],
    *,
    user: str,
    creds: str,
    tls: ssl.SSLContext | None = None,
    inbox: str | None = None,
    within: float = 10.0,
) -> NatsClient:
    """Connect as `user`, whose answers arrive under its own inbox prefix only.

    `creds` is the content of a .creds file and stays in memory. `tls` is the one place where
    encryption and our certificate come in. `inbox` is another prefix, for users of accounts that
    keep them apart anyway. Reconnects for ever afterwards. Raises NatsUnavailable after `within`
    seconds, CredentialsRefused at once.
    """
    client = NatsClient(user, inbox or inbox_prefix(user))
    await client.start(servers, creds, tls, within)
    return client


def _after_a_pause(
    servers: list[Server], _info: Mapping[str, object]
) -> tuple[Server | None, float]:
    """Choose the server tried least, after a pause that grows with the tries and has jitter."""
    server = min(servers, key=lambda candidate: candidate.reconnects)
    longest = min(_LONGEST_PAUSE_SECONDS, _FIRST_PAUSE_SECONDS * 2 ** min(server.reconnects, 10))
    return server, random.uniform(longest / 2, longest)  # noqa: S311 - jitter, no secret
