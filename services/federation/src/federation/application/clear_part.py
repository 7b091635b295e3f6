"""What of an event may leave to a partner: PUBLIC and INTERNAL fields, by the type's descriptor."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from careline.conversations.events.v1 import events_pb2
from careline.options.v1.options_pb2 import SENSITIVITY_INTERNAL, SENSITIVITY_PUBLIC
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from sealing.classification import is_free_form, is_map, sensitivity_of
from sealing.sensitivity import SEALED_FIELD, events_among

_MAY_LEAVE: Final = frozenset({SENSITIVITY_PUBLIC, SENSITIVITY_INTERNAL})


def forwardable_types() -> Mapping[str, type[Message]]:
    """Give conversations' event types that have something to forward, by full name."""
    descriptors = events_among(events_pb2.DESCRIPTOR.message_types_by_name.values())
    return {kind.full_name: GetMessageClass(kind) for kind in descriptors if has_clear_part(kind)}


def has_clear_part(descriptor: Descriptor) -> bool:
    """Tell whether a message of the type can hold a value that may leave."""
    return _has_clear_part(descriptor, frozenset())


def clear_part(kind: type[Message], data: bytes) -> bytes:
    """Reduce an event's stored bytes to what may leave; raises DecodeError for no such event.

    Sealed fields go, and with them whatever this version does not know: a newer one may know it as
    sensitive.
    """
    message = kind.FromString(data)
    message.DiscardUnknownFields()
    _reduce(message)
    return message.SerializeToString(deterministic=True)


def _has_clear_part(descriptor: Descriptor, above: frozenset[Descriptor]) -> bool:
    within = above | {descriptor}
    return any(
        field.message_type is None
        or (field.message_type not in within and _has_clear_part(field.message_type, within))
        for field in descriptor.fields
        if _may_leave(field)
    )


def _reduce(message: Message) -> None:
    for field, _ in message.ListFields():
        if not _may_leave(field):
            message.ClearField(field.name)
        elif field.message_type is not None:
            for part in _parts(getattr(message, field.name), field, field.message_type):
                _reduce(part)


def _parts(value: Any, field: FieldDescriptor, kind: Descriptor) -> Iterable[Message]:  # noqa: ANN401 - a message, or protobuf's containers of them
    """List the messages that stand in a field."""
    if not is_map(field):
        parts: Iterable[Message] = value if field.is_repeated else [value]
        return parts
    return value.values() if kind.fields_by_name["value"].message_type is not None else ()


def _may_leave(field: FieldDescriptor) -> bool:
    return (
        field.name != SEALED_FIELD
        and sensitivity_of(field) in _MAY_LEAVE
        and not is_free_form(field)
    )
