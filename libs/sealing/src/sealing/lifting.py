"""Takes a message's PII and PHI fields out of it into a message of the same type."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from sealing.classification import TYPES_KEPT, holds, is_sealable
from sealing.sensitivity import check_event

M = TypeVar("M", bound=Message)


class NotSealable(Exception):
    """The message's type is classified in a way that would leave sensitive content in clear."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("mend the proto first: " + "; ".join(faults))
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Lifted(Generic[M]):
    """`public` and `sensitive` merged give the message again; `paths` were set and are lifted."""

    public: M
    sensitive: M
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Branch:
    """Below one message: fields lifted whole by name with their path, and sub-messages to enter."""

    lifted: Mapping[str, str]
    entered: Mapping[str, "_Branch"]


def require_sealable(kind: type[Message]) -> None:
    """Raise NotSealable when messages of the type cannot be sealed without a leak."""
    _branch_of(kind.DESCRIPTOR)


def lift(message: M) -> Lifted[M]:
    """Split a message; fields that this version does not know are left out of both parts, for
    nobody has classified them. Raises NotSealable.
    """
    branch = _branch_of(message.DESCRIPTOR)
    public = type(message)()
    public.CopyFrom(message)
    public.DiscardUnknownFields()
    sensitive = type(message)()
    paths: list[str] = []
    _move(public, sensitive, branch, paths)
    return Lifted(public, sensitive, tuple(paths))


@lru_cache(maxsize=TYPES_KEPT)
def _branch_of(descriptor: Descriptor) -> _Branch:
    faults = tuple(check_event(descriptor))
    if faults:
        raise NotSealable(faults)
    return _branch(descriptor, "")


def _branch(descriptor: Descriptor, prefix: str) -> _Branch:
    lifted = {field.name: prefix + field.name for field in descriptor.fields if is_sealable(field)}
    entered = {
        field.name: _branch(field.message_type, f"{prefix}{field.name}.")
        for field in descriptor.fields
        if field.name not in lifted
        and field.message_type is not None
        and holds(field.message_type, is_sealable)
    }
    return _Branch(lifted, entered)


def _move(source: Message, target: Message, branch: _Branch, paths: list[str]) -> None:
    for field, value in source.ListFields():
        name = field.name
        if name in branch.lifted:
            _copy(field, value, target)
            source.ClearField(name)
            paths.append(branch.lifted[name])
        elif name in branch.entered:
            _move(value, getattr(target, name), branch.entered[name], paths)


def _copy(field: FieldDescriptor, value: object, target: Message) -> None:
    if field.is_repeated:
        getattr(target, field.name).MergeFrom(value)
    elif field.message_type is not None:
        getattr(target, field.name).CopyFrom(value)
    else:
        setattr(target, field.name, value)
