"""Which events are released, and in which version: read from the image, not from today's code."""

from hashlib import sha256
from typing import Any, Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from sealing.classification import sensitivity_of, types_within
from sealing.sensitivity import events_among

_EVENTS: Final = ".events.v1"


def released_events(image: bytes) -> dict[str, type[Message]]:
    """Give the released event messages of an image, by full name."""
    files = FileDescriptorSet.FromString(image).file
    pool = DescriptorPool()
    for file in files:
        pool.Add(file)
    messages = [
        pool.FindMessageTypeByName(f"{file.package}.{message.name}")
        for file in files
        if file.package.endswith(_EVENTS)
        for message in file.message_type
    ]
    return {event.full_name: GetMessageClass(event) for event in events_among(messages)}


def version_of(kind: type[Message]) -> str:
    """Tell versions of a message apart: what it and its parts hold, and how sensitive that is."""
    descriptor: Any = kind.DESCRIPTOR
    parts = sorted(types_within(descriptor), key=lambda part: part.full_name)
    own = (part for part in parts if part.full_name.startswith("careline."))
    text = "\n".join(f"{part.full_name}: {_fields(part)}" for part in own)
    return sha256(text.encode()).hexdigest()[:16]


def _fields(descriptor: Descriptor) -> str:
    fields: list[Any] = sorted(descriptor.fields, key=lambda field: field.number)
    return ", ".join(map(_field, fields))


def _field(field: FieldDescriptor) -> str:
    kind = field.message_type.full_name if field.message_type is not None else ""
    choice = field.containing_oneof.name if field.containing_oneof is not None else ""
    repeated = "repeated" if field.is_repeated else ""
    parts = (field.number, field.name, field.type, kind, choice, repeated, sensitivity_of(field))
    return " ".join(map(str, parts))
