"""WatchConversation's pages and the tokens that resume it."""

import re
from collections.abc import AsyncGenerator
from contextlib import aclosing

from careline.conversations.v1.conversation_service_pb2 import (
    WatchConversationRequest,
    WatchConversationResponse,
)
from eventstore.as_of import AsOf
from eventstore.event_log import EventLog
from runtime.paging import page_token, place_of
from runtime.refusal import Refused

from conversations.adapters.history import history_entry
from conversations.application.watching import Watching

_NUMBER = re.compile(r"[0-9]{1,18}")


class HistoryStream:
    """A token holds the log's epoch and the revision that comes next, of one conversation."""

    def __init__(self, log: EventLog, watching: Watching) -> None:
        self._log = log
        self._watching = watching

    async def pages(
        self, name: str, resume_token: str, *, snapshot: bool, as_of: AsOf | None = None
    ) -> AsyncGenerator[WatchConversationResponse, None]:
        """Raise Refused for a token of another conversation, or of the log before a restore."""
        query = WatchConversationRequest(conversation=name)
        epoch = (await self._log.head()).epoch
        revision = _revision_in(query, resume_token, epoch)
        histories = self._watching.watch(name, revision, snapshot=snapshot, as_of=as_of)
        async with aclosing(histories):
            async for history in histories:
                yield WatchConversationResponse(
                    entries=[history_entry(*event) for event in history.events],
                    resume_token=page_token(query, (str(epoch), str(history.next_revision))),
                )


def _revision_in(query: WatchConversationRequest, token: str, epoch: int) -> int:
    place = place_of(query, token, 2)
    if place is None:
        return 0
    if not all(_NUMBER.fullmatch(part) for part in place):
        raise Refused("PAGE_TOKEN_INVALID")
    if int(place[0]) != epoch:
        raise Refused("RESUME_TOKEN_EXPIRED")
    return int(place[1])
