"""One at a time on a stream, in order of arrival."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from eventstore.errors import Overloaded
from eventstore.stream_id import StreamId


@dataclass(slots=True)
class _Line:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    length: int = 0


class Turns:
    """Commands of this process on one stream follow each other rather than conflict.

    At most `longest` may wait on one stream; Overloaded beyond that.
    """

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._lines: dict[StreamId, _Line] = {}

    @asynccontextmanager
    async def turn(self, stream: StreamId) -> AsyncIterator[None]:
        line = self._lines.setdefault(stream, _Line())
        if line.length > self._longest:
            raise Overloaded("too many commands wait for one stream: try again later")
        line.length += 1
        try:
            async with line.lock:
                yield
        finally:
            line.length -= 1
            if line.length == 0:
                del self._lines[stream]
