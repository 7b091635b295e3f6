"""Refuses calls beyond what the process can have under way."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.interceptors.call import IncomingCall
from runtime.refusal import Refused


class Admission:
    """Counts the calls under way, streams included."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._under_way = 0

    @asynccontextmanager
    async def __call__(self, _: IncomingCall) -> AsyncIterator[None]:
        if self._under_way >= self._limit:
            raise Refused("OVERLOADED")
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
