"""One long pull on a durable consumer, which never waits in silence.

nats-py's own fetch() may wait its whole timeout for a request that the server forgot (nats.py#933,
#986) and does not notice a server that restarted (#504); this listens for the server's heartbeats
and takes every end of a request for what it is.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from nats.aio.msg import Msg

from messaging.connect import NatsClient
from messaging.names import Consumption
from messaging.stuck import Reason, Stuck

_NANOSECONDS = 1_000_000_000
_HEARTBEATS_MISSED = 3
_HEARTBEAT = "100"
_ENDED = frozenset({"404", "408"})
_CONFLICT = "409"
_NO_RESPONDERS = "503"
# Texts of a 409 that mean no more than that this request is served.
_SERVED = ("batch completed", "exceeds maxbytes", "exceeded maxrequestmaxbytes")
_GONE = ("consumer deleted", "consumer is push based")


@dataclass(frozen=True, slots=True)
class PullOptions:
    """What one request asks for at most, how long it stands, how often the server is to be heard.

    Bytes must exceed the largest message. Seconds.
    """

    messages: int = 512
    size: int = 8 << 20
    expires: float = 30.0
    heartbeat: float = 1.0


class Pull:
    """Messages of a durable consumer as they come; `next` hands out what has arrived."""

    def __init__(self, client: NatsClient, consumption: Consumption, options: PullOptions) -> None:
        self._client = client
        self._options = options
        self.subject = f"$JS.API.CONSUMER.MSG.NEXT.{consumption.stream}.{consumption.durable}"
        self._request = json.dumps(
            {
                "batch": options.messages,
                "max_bytes": options.size,
                "expires": int(options.expires * _NANOSECONDS),
                "idle_heartbeat": int(options.heartbeat * _NANOSECONDS),
            }
        ).encode()
        self.answers_to = client.new_inbox()
        self._arrived: deque[Msg] = deque()
        self._expected = 0
        self._heard = asyncio.Event()
        self._failure: Stuck | None = None

    async def next(self, limit: int) -> list[Msg]:
        """Return one to `limit` messages, or none when none came for a whole request.

        Raises Stuck when the server is not heard, or says that the consumer is gone.
        """
        asked = False
        while True:
            self._heard.clear()
            if self._failure is not None:
                raise self._failure
            if self._arrived:
                taken = min(limit, len(self._arrived))
                some = [self._arrived.popleft() for _ in range(taken)]
                if self._expected == 0 and len(self._arrived) < self._options.messages // 2:
                    await self._ask()
                return some
            if self._expected == 0:
                if asked:
                    return []
                asked = True
                await self._ask()
            await self._listen()

    async def take(self, message: Msg) -> None:
        """Take in a message, or what the server says of the request."""
        headers = message.headers or {}
        status = headers.get("Status")
        if status is None or message.subject != self.answers_to:
            self._arrived.append(message)
            self._expected = max(self._expected - 1, 0)
        elif status != _HEARTBEAT:
            self._end(status, headers.get("Description", ""))
        self._heard.set()

    def interrupt(self) -> None:
        """Note that the connection is lost."""
        self.fail(Stuck(Reason.NATS_AWAY))

    def denied(self, denied: "asyncio.Future[str]") -> None:
        """Note that the server denies pulling or acknowledging."""
        if not denied.cancelled():
            self.fail(Stuck(Reason.PERMISSION_DENIED, denied.result()))

    def fail(self, failure: Stuck) -> None:
        self._failure = self._failure or failure
        self._heard.set()

    async def _ask(self) -> None:
        self._expected = self._options.messages
        await self._client.publish(self.subject, self._request, reply=self.answers_to)

    async def _listen(self) -> None:
        seconds = self._options.heartbeat * _HEARTBEATS_MISSED
        try:
            async with asyncio.timeout(seconds):
                await self._heard.wait()
        except TimeoutError:
            raise Stuck(Reason.NATS_SILENT) from None

    def _end(self, status: str, description: str) -> None:
        """Note that the request has ended; another is made when there is need."""
        self._expected = 0
        text = description.lower()
        if status == _NO_RESPONDERS or any(gone in text for gone in _GONE):
            self.fail(Stuck(Reason.NOT_PROVISIONED))
        elif status == _CONFLICT and not any(served in text for served in _SERVED):
            self.fail(Stuck(Reason.NATS_AWAY, status))
        elif status not in _ENDED and status != _CONFLICT:
            self.fail(Stuck(Reason.FAILED, status))


@asynccontextmanager
async def open_pull(
    client: NatsClient, consumption: Consumption, options: PullOptions
) -> AsyncIterator[Pull]:
    """Listen for a consumer's messages as long as the context lasts."""
    pull = Pull(client, consumption, options)
    acknowledgements = f"$JS.ACK.{consumption.stream}.{consumption.durable}."
    messages = await client.subscribe(pull.answers_to, cb=pull.take)
    try:
        with (
            client.on_interruption(pull.interrupt),
            client.denials.watch(pull.subject) as pulling,
            client.denials.watch(acknowledgements) as acknowledging,
        ):
            pulling.add_done_callback(pull.denied)
            acknowledging.add_done_callback(pull.denied)
            yield pull
    finally:
        if not client.is_closed:
            await messages.unsubscribe()
