"""What a stream holds of a lost log that the log, as it was restored, does not have."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing

from sqlalchemy.ext.asyncio import AsyncEngine

from messaging.headers import MessageMalformed
from messaging.published_event import published_place
from messaging.published_tail import PublishedTail
from messaging.statements import load_statements
from messaging.stored_messages import StoredMessage

_PAGE = 500


class LeftOut:
    """Compares a stream beyond the archive with a restored log, whose tenants' rows are all seen.

    `engine` may read the whole log. Methods raise Stuck.
    """

    def __init__(
        self, tail: PublishedTail, archived: Mapping[int, int], engine: AsyncEngine, schema: str
    ) -> None:
        self._tail = tail
        self._archived = archived
        self._engine = engine
        self._statements = load_statements(schema)

    async def messages(self) -> AsyncGenerator[StoredMessage, None]:
        """Yield the messages that are no event of the log, in order."""
        page: list[StoredMessage] = []
        async with aclosing(self._tail.messages(self._archived)) as messages:
            async for message in messages:
                page.append(message)
                if len(page) == _PAGE:
                    for lacking in await self._lacking(page):
                        yield lacking
                    page = []
        for lacking in await self._lacking(page):
            yield lacking

    async def count(self) -> tuple[int, int]:
        """Give how many there are, and the lowest position that one of them names, 0 for none."""
        number, first = 0, 0
        async with aclosing(self.messages()) as messages:
            async for message in messages:
                number += 1
                place = _place(message)
                if place is not None and (not first or place[0] < first):
                    first = place[0]
        return number, first

    async def _lacking(self, page: list[StoredMessage]) -> list[StoredMessage]:
        places = [_place(message) for message in page]
        positions = [place[0] for place in places if place is not None]
        async with self._engine.begin() as connection:
            await connection.exec_driver_sql(self._statements["enter_tenant"], ("*",))
            rows = await connection.exec_driver_sql(self._statements["events_at"], (positions,))
            there = {(row.position, row.event_id) for row in rows}
        return [one for one, place in zip(page, places, strict=True) if place not in there]


def _place(message: StoredMessage) -> tuple[int, object] | None:
    try:
        event = published_place(message)
    except MessageMalformed:
        return None
    return event.position, event.id
