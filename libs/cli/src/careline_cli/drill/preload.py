"""Fills conversations' log before the load starts, and knows it again afterwards."""

import asyncio
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.stream_id import StreamId
from runtime.new_id import new_id

from careline_cli.console import Say
from careline_cli.drill import stories
from careline_cli.drill.own_log import CONVERSATIONS, OwnLog, admitted, own_log
from careline_cli.drill.reading import digest_up_to
from careline_cli.platform.data_directory import DataDirectory
from careline_cli.tenant import DEMO_TENANT

_MESSAGES: Final = 399
"""A conversation: with its beginning one append of 400 events, and one data key."""
_SIDE_BY_SIDE: Final = 8
"""More would wait for their keys longer than the keyring lets anybody wait."""
_SHOWN_EVERY: Final = 50_000


@dataclass(frozen=True, slots=True)
class Preloaded:
    """Up to which position the log was filled, and the SHA-256 of all up to there."""

    position: int
    digest: str


async def preload(data: DataDirectory, folder: Path, events: int, say: Say) -> Preloaded:
    """Append that many events at least, whole conversations of sealed messages."""
    conversations = -(-events // (_MESSAGES + 1))
    async with own_log(admitted(data, CONVERSATIONS, folder / "rights")) as own:
        filling = _Filling(own, conversations, say)
        async with asyncio.TaskGroup() as group:
            for _ in range(_SIDE_BY_SIDE):
                group.create_task(filling.fill())
        position = (await own.log.head()).position
    digest = await digest_up_to(data, folder / "reading", CONVERSATIONS, position)
    return Preloaded(position, digest)


class _Filling:
    def __init__(self, own: OwnLog, conversations: int, say: Say) -> None:
        self._own = own
        self._left = conversations
        self._say = say
        self._done = 0

    async def fill(self) -> None:
        while self._left > 0:
            self._left -= 1
            story = stories.conversation(stories.new_conversation(), _MESSAGES)
            await self._append(story)

    async def _append(self, story: stories.Story) -> None:
        events = list(story.events)
        stream = StreamId(DEMO_TENANT, story.stream)
        ids = [new_id() for _ in events]
        digest = hashlib.sha256(story.stream.encode()).digest()
        encoded = await self._own.codec.encode(stream, story.stream, ids, events, b"", digest)
        await self._own.log.append(Write(stream, ExpectedRevision.NO_STREAM, encoded))
        before, self._done = self._done, self._done + len(events)
        if before // _SHOWN_EVERY < self._done // _SHOWN_EVERY:
            self._say(f"{self._done} events are preloaded")
