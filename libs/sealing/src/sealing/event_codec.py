"""Between an event's message and the bytes that its log stores."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from google.protobuf.message import DecodeError, Message

from sealing.lifting import require_sealable
from sealing.sealer import Opened, Place, Sealer
from sealing.upcasting import Upcasting, UpcastStep


class UnknownEventType(LookupError):
    """The log holds, or is given, an event of a type that it was not made for."""

    def __init__(self, type_name: str, log: str) -> None:
        super().__init__(
            f"{type_name} is no event type of log {log}: deploy the version that knows it, or "
            "register it with the log's codec"
        )
        self.type_name = type_name


class EventUnreadable(Exception):
    """The stored bytes are no message of their type."""

    def __init__(self, type_name: str, log: str) -> None:
        super().__init__(
            f"stored bytes of log {log} are no {type_name}: compare them with the archive and "
            "treat this as an incident"
        )


class EventRetired(ValueError):
    """The event to write is of a message that an upcaster reads as another."""

    def __init__(self, type_name: str) -> None:
        super().__init__(f"{type_name} is written no more: write what its upcaster makes of it")


@dataclass(frozen=True, slots=True)
class SealedEvent:
    """An event as its log stores it: `type` is the full name of the message, `data` its bytes."""

    id: UUID
    type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An event as it was read, and where."""

    tenant: str
    stream: str
    id: UUID
    type: str
    data: bytes


class EventCodec:
    """Seals and serialises the events of one log. Raises NotSealable for a misclassified type.

    `types` are today's and those of before, whose events `upcasters` read as today's; raises
    UpcasterInvalid for ones that would not do. No event is ever written anew for that.
    """

    def __init__(
        self,
        sealer: Sealer,
        log: str,
        types: Iterable[type[Message]],
        upcasters: Iterable[UpcastStep] = (),
    ) -> None:
        self._sealer = sealer
        self._upcasting = Upcasting(upcasters)
        self._log = log
        self._types = {kind.DESCRIPTOR.full_name: kind for kind in types}
        self._current = frozenset(name for name in self._types if name not in self._upcasting)
        for kind in self._types.values():
            require_sealable(kind)

    async def seal_events(
        self,
        *,
        tenant: str,
        stream: str,
        subject: str,
        ids: Sequence[UUID],
        events: Sequence[Message],
    ) -> tuple[SealedEvent, ...]:
        """Seal the events of one append, one id each.

        Raises SubjectErased, UnknownEventType, EventRetired.
        """
        sealed_events = []
        for event_id, event in zip(ids, events, strict=True):
            name = event.DESCRIPTOR.full_name
            self._class_of(name)
            if name in self._upcasting:
                raise EventRetired(name)
            sealed = await self._sealer.seal(
                event,
                tenant=tenant,
                subject=subject,
                log=self._log,
                stream=stream,
                event_id=event_id,
            )
            data = sealed.SerializeToString(deterministic=True)
            sealed_events.append(SealedEvent(event_id, name, data))
        return tuple(sealed_events)

    def decode(self, type_name: str, data: bytes) -> Message:
        """Return today's message with its sensitive fields still sealed, as `evolve` reads it.

        Raises UnknownEventType, EventUnreadable.
        """
        message = self._parsed(type_name, data)
        return message if type_name in self._current else self._upcasting.upcast(message)

    async def open_events(self, events: Sequence[StoredEvent]) -> list[Opened[Message]]:
        """Decode and open a page of events, in order, as today's messages.

        They are opened as the messages that they were sealed as, and upcast then.
        """
        page = [
            (
                self._parsed(event.type, event.data),
                Place(self._log, event.tenant, event.stream, event.id),
            )
            for event in events
        ]
        opened = await self._sealer.open_many(page)
        return [self._upcasting.upcast_opened(one) for one in opened]

    def older_than(self, type_name: str) -> frozenset[str]:
        """Name the stored types whose events are read as this one, itself left out."""
        return self._upcasting.older_than(type_name)

    def _parsed(self, type_name: str, data: bytes) -> Message:
        try:
            return self._class_of(type_name).FromString(data)
        except DecodeError:
            raise EventUnreadable(type_name, self._log) from None

    def _class_of(self, type_name: str) -> type[Message]:
        kind = self._types.get(type_name)
        if kind is None:
            raise UnknownEventType(type_name, self._log)
        return kind
