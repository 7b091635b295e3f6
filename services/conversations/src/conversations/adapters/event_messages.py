"""The events of conversations by the type that the log stores them under."""

from typing import Any, Final, get_args

from eventstore.event import RecordedEvent
from google.protobuf.message import Message

from conversations.domain.conversation import Event

_KINDS: Final[dict[str, type[Message]]] = {
    kind.DESCRIPTOR.full_name: kind for kind in get_args(Event)
}
EVENT_TYPES: Final = frozenset(_KINDS)


def clear_part(event: RecordedEvent) -> Any:  # noqa: ANN401  one of Event, which no runtime type is
    """Parse an event of these types; sealed fields stay sealed."""
    return _KINDS[event.type].FromString(event.data)
