"""Hypothesis strategies: any message of a type, its sensitive texts and bytes marked."""

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import strategies as st
from sealing.classification import is_map, is_sealable
from sealing.sensitivity import SEALED_FIELD

MARK = "SENSITIVE:"

_INTEGERS = {
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
}


def messages(kind: Descriptor) -> st.SearchStrategy[Message]:
    """Any message of the type, without `sealed`."""
    return _messages(kind, marked=False)


@st.composite
def _messages(draw: st.DrawFn, kind: Descriptor, *, marked: bool) -> Message:
    message = GetMessageClass(kind)()
    for field in kind.fields:
        if field.name != SEALED_FIELD and draw(st.booleans()):
            _fill(draw, message, field, marked=marked or is_sealable(field))
    return message


def _fill(draw: st.DrawFn, message: Message, field: FieldDescriptor, *, marked: bool) -> None:
    target = getattr(message, field.name)
    kind = field.message_type
    if kind is not None and is_map(field):
        entry = kind.fields_by_name
        for key in draw(st.sets(_scalar(entry["key"], marked=marked), max_size=3)):
            if entry["value"].message_type is None:
                target[key] = draw(_scalar(entry["value"], marked=marked))
            else:
                target[key].CopyFrom(draw(_messages(entry["value"].message_type, marked=marked)))
    elif field.is_repeated:
        target.extend(draw(st.lists(_value(field, marked=marked), max_size=3)))
    elif field.message_type is not None:
        target.CopyFrom(draw(_value(field, marked=marked)))
    else:
        setattr(message, field.name, draw(_value(field, marked=marked)))


def _value(field: FieldDescriptor, *, marked: bool) -> st.SearchStrategy[Any]:
    if field.message_type is not None:
        return _messages(field.message_type, marked=marked)
    return _scalar(field, marked=marked)


def _scalar(field: FieldDescriptor, *, marked: bool) -> st.SearchStrategy[Any]:
    mark = MARK if marked else ""
    if field.type == FieldDescriptor.TYPE_STRING:
        # An empty text carries nothing, and an optional one may be set to it.
        return st.just("") | st.text(max_size=12).map(lambda text: mark + text)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=12).map(lambda octets: mark.encode() + octets)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    if field.type == FieldDescriptor.TYPE_DOUBLE:
        return st.floats(allow_nan=False)
    if field.type == FieldDescriptor.TYPE_ENUM:
        return st.integers(0, 5)
    return _INTEGERS[field.type]
