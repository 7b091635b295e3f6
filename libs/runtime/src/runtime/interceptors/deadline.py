"""Every call has a deadline, and not any."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from runtime.interceptors.call import IncomingCall
from runtime.refusal import Refused

_CLOCKS_DIFFER_SECONDS: Final = 1.0
_ROUNDED_UP: Final = 1.01
"""A deadline is sent in three figures, rounded up: an hour arrives as 3,610 s."""


class DeadlineRequired:
    """Refuses a call without deadline, or with one farther off than its sort of method allows.

    gRPC itself cancels the servicer when the deadline passes.
    """

    def __init__(self, longest: float, longest_stream: float) -> None:
        self._longest = longest
        self._longest_stream = longest_stream

    @asynccontextmanager
    async def __call__(self, call: IncomingCall) -> AsyncIterator[None]:
        longest = self._longest_stream if call.method.streams else self._longest
        remaining: float | None = call.context.time_remaining()
        if remaining is None or remaining > longest * _ROUNDED_UP + _CLOCKS_DIFFER_SECONDS:
            raise Refused("DEADLINE_REQUIRED", metadata={"max_seconds": f"{longest:g}"})
        call.deadline = asyncio.get_running_loop().time() + remaining
        yield
