"""Acknowledges what was done, at most one acknowledgement under way, the newest covering all."""

import asyncio

from nats.aio.msg import Msg

from messaging.connect import NatsClient

_ACK = b"+ACK"
_ANSWER_SECONDS = 5.0


class Acknowledger:
    """Told of messages done; `run` has the server confirm that it knows.

    Handling does not wait for it: what is done twice is known by its position.
    """

    def __init__(self, client: NatsClient) -> None:
        self._client = client
        self._newest: Msg | None = None
        self._told = asyncio.Event()

    def done(self, message: Msg) -> None:
        """Note that a message, and all before it, is done."""
        self._newest = message
        self._told.set()

    async def run(self) -> None:
        """Acknowledge without end. Raises what a request raises when the server does not answer."""
        while True:
            await self._told.wait()
            self._told.clear()
            await self.flush()

    async def flush(self) -> None:
        """Acknowledge what is not yet."""
        message, self._newest = self._newest, None
        if message is not None:
            await self._client.request(message.reply, _ACK, timeout=_ANSWER_SECONDS)
