"""Any event as a service may have recorded it: what `evolve` reads is filled in."""

from collections.abc import Mapping
from typing import Any, Final

from careline.conversations.events.v1.events_pb2 import DeliveryQueued
from conversations.domain.conversation import AuthorKind, Channel, DeliveryStatus, HolderKind
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import strategies as st
from identity.domain.agent import Factor
from identity.domain.verification import Level
from routing.domain.agent import Availability

NAMES: Final = tuple(f"things/{number}" for number in range(4))
WORDS: Final[Mapping[str, tuple[str, ...]]] = {
    "author_kind": tuple(AuthorKind),
    "availability": tuple(Availability),
    "channel": tuple(Channel),
    "channels": tuple(Channel),
    "factor": tuple(Factor),
    "holder_kind": tuple(HolderKind),
    "level": tuple(Level),
    "served_channels": tuple(Channel),
    "speaker_kind": tuple(AuthorKind),
    "status": tuple(DeliveryStatus),
}
"""Fields that hold one of a few words; any other text is a name."""

BEFORE: Final[Mapping[str, tuple[Message, ...]]] = {
    "conversations.Conversation": tuple(
        DeliveryQueued(delivery=name) for name in (*NAMES, "delivery/1")
    ),
}
"""What a history begins with, for a delivery is reported only after it was queued."""

_SCALARS: Final[Mapping[int, st.SearchStrategy[Any]]] = {
    FieldDescriptor.CPPTYPE_INT32: st.integers(-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.CPPTYPE_INT64: st.integers(-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.CPPTYPE_BOOL: st.booleans(),
}
_PARTS: Final[Mapping[str, st.SearchStrategy[Message]]] = {
    "google.protobuf.Timestamp": st.builds(
        Timestamp, seconds=st.integers(0, 4_000_000_000), nanos=st.integers(0, 999_999_999)
    ),
    "google.protobuf.Duration": st.builds(Duration, seconds=st.integers(0, 100_000)),
}


def any_event(kind: type[Message]) -> st.SearchStrategy[Message]:
    """Give events of a class: texts are there always, the rest now and then, parts never."""
    fields = [field for field in kind.DESCRIPTOR.fields if _is_filled(field)]
    texts = {one.name: _values(one) for one in fields if one.type == FieldDescriptor.TYPE_STRING}
    others = {one.name: _values(one) for one in fields if one.name not in texts}
    return st.fixed_dictionaries(texts, optional=others).map(lambda values: kind(**values))


def _is_filled(field: Any) -> bool:  # noqa: ANN401 - two classes of descriptors, one of them private
    return field.message_type is None or field.message_type.full_name in _PARTS


def _values(field: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - as above
    one = _one(field)
    return st.lists(one, max_size=3) if field.is_repeated else one


def _one(field: Any) -> st.SearchStrategy[Any]:  # noqa: ANN401 - as above
    if field.message_type is not None:
        return _PARTS[field.message_type.full_name]
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=40)
    if field.type == FieldDescriptor.TYPE_STRING:
        return st.sampled_from(WORDS.get(field.name, NAMES))
    return _SCALARS[field.cpp_type]
