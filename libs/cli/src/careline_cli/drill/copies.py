"""Looks from outside how far stream and archive have each log that the load goes to."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from eventstore.archive.layout import EpochFolder
from messaging.connect import CredentialsRefused, NatsClient, NatsUnavailable
from messaging.stream_tail import read_tail
from messaging.stuck import Stuck
from nats.errors import Error as NatsError

from careline_cli.drill.lags import Look
from careline_cli.drill.own_log import EVENTS
from careline_cli.drill.platform_commands import StepFailed
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.streams.access import stream_access

_LOOK_SECONDS: Final = 0.02
_FIRST_EPOCH: Final = 1


class Copies:
    """Notes a look at each copy many times a second, as long as it is told to."""

    def __init__(self, clients: Mapping[str, NatsClient], archive: Path) -> None:
        self._clients = clients
        self._archive = archive
        self.stream_looks: list[Look] = []
        self.archive_looks: list[Look] = []

    async def streamed(self) -> dict[str, int]:
        """Give by log the position that its stream has acknowledged; raises StepFailed."""
        try:
            return await self._streamed()
        except (NatsError, Stuck) as error:
            raise _unread(error) from None

    async def _streamed(self) -> dict[str, int]:
        found = {}
        for log, client in self._clients.items():
            tail = await read_tail(client.jetstream(), log)
            found[log] = tail.origin.position if tail.origin else 0
        return found

    def archived(self) -> dict[str, int]:
        """Give by log the last position of the archive's open segment."""
        return {log: _end_of_tail(self._archive, log) for log in EVENTS}

    async def until_archived(self, positions: Mapping[str, int]) -> None:
        """Return when the archive has these positions; the caller bounds the wait."""
        # Another process writes it: there is no event to wait for.
        while any(  # noqa: ASYNC110
            self.archived()[log] < position for log, position in positions.items()
        ):
            await asyncio.sleep(_LOOK_SECONDS)

    async def until_streamed(self, positions: Mapping[str, int]) -> None:
        """Return when the streams have acknowledged these; the caller bounds the wait."""
        while True:
            streamed = await self.streamed()
            if all(streamed[log] >= position for log, position in positions.items()):
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def watch(self) -> None:
        """Look until cancelled."""
        while True:
            try:
                streamed = await self._streamed()
            except (NatsError, Stuck):
                return  # the drill has just taken it away
            now = time.monotonic()
            self.stream_looks += [Look(log, now, position) for log, position in streamed.items()]
            archived = self.archived()
            now = time.monotonic()
            self.archive_looks += [Look(log, now, position) for log, position in archived.items()]
            await asyncio.sleep(_LOOK_SECONDS)


@asynccontextmanager
async def open_copies(data: DataDirectory) -> AsyncIterator[Copies]:
    """Connect to NATS as who may read these streams and nothing else; raises StepFailed."""
    access = await stream_access(data)
    async with AsyncExitStack() as stack:
        clients = {}
        for log in EVENTS:
            try:
                upkeep = await stack.enter_async_context(access.to_verify(log))
            except (CredentialsRefused, NatsUnavailable) as error:
                raise _unread(error) from None
            clients[log] = upkeep.client
        yield Copies(clients, data.archive)


def _unread(error: Exception) -> StepFailed:
    return StepFailed(f"the streams cannot be read ({type(error).__name__})")


def _end_of_tail(archive: Path, log: str) -> int:
    """Read the header alone: the tail is megabytes long."""
    try:
        with (archive / EpochFolder(log, _FIRST_EPOCH).tail).open("rb") as tail:
            return int(json.loads(tail.readline())["last_position"])
    except FileNotFoundError:
        return 0
