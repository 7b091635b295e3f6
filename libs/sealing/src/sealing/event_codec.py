"""Between an event's message and the bytes that its log stores."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from google.protobuf.message import DecodeError, Message

from sealing.lifting import require_sealable
from sealing.sealer import Opened, Place, Sealer


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
    """Seals and serialises the events of one log. Raises NotSealable for a misclassified type."""

    def __init__(self, sealer: Sealer, log: str, types: Iterable[type[Message]]) -> None:
        self._sealer = sealer
        self._log = log
        self._types = {kind.DESCRIPTOR.full_name: kind for kind in types}
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
        """Seal the events of one append, one id each. Raises SubjectErased, UnknownEventType."""
        sealed_events = []
        for event_id, event in zip(ids, events, strict=True):
            name = event.DESCRIPTOR.full_name
            self._class_of(name)
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
        """Return the message with its sensitive fields still sealed, as `evolve` reads it.

        Raises UnknownEventType, EventUnreadable.
        """
        message = self._class_of(type_name)()
        try:
            message.ParseFromString(data)
        except DecodeError:
            raise EventUnreadable(type_name, self._log) from None
        return message

    async def open_events(self, events: Sequence[StoredEvent]) -> list[Opened[Message]]:
        """Decode and open a page of events, in order."""
        page = [
            (
                self.decode(event.type, event.data),
                Place(self._log, event.tenant, event.stream, event.id),
            )
            for event in events
        ]
        return await self._sealer.open_many(page)

    def _class_of(self, type_name: str) -> type[Message]:
        kind = self._types.get(type_name)
        if kind is None:
            raise UnknownEventType(type_name, self._log)
        return kind
