"""Makes the known patients anew once patient_context's log was restored from a copy."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from typing import Final, Protocol

from messaging.consumer_position import Place
from messaging.dead_letters import DeadLetters
from messaging.gap import missing_events
from messaging.log_reader import LogReader
from messaging.received_event import ReceivedEvent
from messaging.retraction import Retraction
from sqlalchemy.ext.asyncio import AsyncConnection

from identity.adapters.known_patients import StoredPatients
from identity.settings import PATIENTS

_PAGE: Final = 500


class HeldKeys(Protocol):
    """The keys that this process holds: sealing's Keyring."""

    def forget(self, tenant: str, subjects: Iterable[str]) -> None: ...


class RestoredPatients:
    """All that identity did upon patients' events is rows: they can be made of what is left.

    `reader` reads the restored log.
    """

    def __init__(
        self, known: StoredPatients, keys: HeldKeys, reader: LogReader, letters: DeadLetters
    ) -> None:
        self._known = known
        self._keys = keys
        self._reader = reader
        self._letters = letters

    async def retract(self, connection: AsyncConnection, retraction: Retraction) -> None:
        """Know of all tenants' patients what the log says of them up to `retraction.after`.

        Others see the rows as they were until the caller's transaction ends. What was parked when
        it came stays parked. Raises Stuck when the log cannot be read or has moved on, and what the
        keyring raises; a patient whose key is gone stays forgotten.
        """
        await self._known.forget_all(connection)
        # To a log that is asked for nothing, 0 is its end.
        if retraction.after == 0:
            return
        parked = await self._parked()
        start = Place(retraction.to_epoch, 0)
        pages = missing_events(self._reader, start, retraction.after, batch=_PAGE)
        async with aclosing(pages):
            async for page in pages:
                self._let_go(page)
                taken = [event for event in page if event.position not in parked]
                await self._known.take_in(connection, taken)

    def _let_go(self, page: Sequence[ReceivedEvent]) -> None:
        """Have the keyring asked for each patient: the log may have lost that he was erased."""
        patients: defaultdict[str, set[str]] = defaultdict(set)
        for event in page:
            patients[event.stream.tenant].add(event.stream.name)
        for tenant, names in patients.items():
            self._keys.forget(tenant, names)

    async def _parked(self) -> set[int]:
        """Positions of events that could not be handled, and would fail here again."""
        positions: set[int] = set()
        after = 0
        while page := await self._letters.list(
            after=after, consumer=PATIENTS.durable, with_discarded=True
        ):
            after = page[-1].id
            positions.update(letter.event.position for letter in page)
        return positions
