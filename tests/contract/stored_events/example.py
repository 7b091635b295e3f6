"""One event of a message, every field filled with a value that stands for it."""

from typing import Any, Final

from contract.deciders.any_event import WORDS
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from sealing.classification import is_map
from sealing.sensitivity import SEALED_FIELD

_NEW_YEAR: Final = 1_767_225_600
_NUMBERS: Final = frozenset(
    {
        FieldDescriptor.CPPTYPE_INT32,
        FieldDescriptor.CPPTYPE_INT64,
        FieldDescriptor.CPPTYPE_UINT32,
        FieldDescriptor.CPPTYPE_UINT64,
        FieldDescriptor.CPPTYPE_DOUBLE,
        FieldDescriptor.CPPTYPE_FLOAT,
    }
)


def fill(message: Message) -> None:
    """Fill all fields but `sealed`; of a oneof the last one stays."""
    for field in message.DESCRIPTOR.fields:
        if field.name != SEALED_FIELD:
            _set(message, field)


def _set(message: Message, field: Any) -> None:  # noqa: ANN401 - two classes of descriptors, one private
    if is_map(field):
        raise NotImplementedError(f"{field.full_name} is a map: say what stands in it")
    if field.message_type is not None:
        value = getattr(message, field.name)
        _fill_part(value.add() if field.is_repeated else value, field)
    elif field.is_repeated:
        getattr(message, field.name).append(_scalar(field))
    else:
        setattr(message, field.name, _scalar(field))


def _fill_part(part: Message, field: FieldDescriptor) -> None:
    if part.DESCRIPTOR.full_name.startswith("google.protobuf."):
        seconds = _NEW_YEAR if part.DESCRIPTOR.name == "Timestamp" else 0
        part.MergeFrom(type(part)(seconds=seconds + field.number))
    else:
        part.SetInParent()
        fill(part)


def _scalar(field: Any) -> Any:  # noqa: ANN401 - as above; a value of the field's type
    if field.type == FieldDescriptor.TYPE_STRING:
        return WORDS.get(field.name, (f"{field.name}/1",))[0]
    if field.type == FieldDescriptor.TYPE_BYTES:
        return field.name.encode()
    if field.type == FieldDescriptor.TYPE_ENUM:
        return field.enum_type.values[-1].number
    if field.cpp_type in _NUMBERS:
        return field.number
    return True
