"""What of a message is sensitive, what may be shown, and whether an event's type is in order."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import TypeVar

from careline.options.v1.options_pb2 import (
    SENSITIVITY_PII,
    SENSITIVITY_SECRET,
    SENSITIVITY_UNSPECIFIED,
    Sensitivity,
)
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from sealing.classification import (
    TYPES_KEPT,
    holds,
    is_free_form,
    is_map,
    is_sealable,
    sensitivity_of,
    types_within,
)

M = TypeVar("M", bound=Message)

SEALED_FIELD = "sealed"
SEALED_NUMBER = 1000
SEALED_TYPE = "careline.sealing.v1.SealedFields"


@lru_cache(maxsize=TYPES_KEPT)
def paths_of(
    descriptor: Descriptor, at_least: Sensitivity.ValueType = SENSITIVITY_PII
) -> tuple[str, ...]:
    """List the paths of the outermost fields that are `at_least` so sensitive, as `content.text`.

    Goes through repeated fields, maps (`notes.value.text`) and sub-messages; a message inside
    one of its own type is read once.
    """
    return tuple(_paths(descriptor, at_least, "", frozenset()))


def has_secret(descriptor: Descriptor) -> bool:
    """Tell whether a message of the type can hold a SECRET, however deep."""
    return holds(descriptor, lambda field: sensitivity_of(field) == SENSITIVITY_SECRET)


def redact(message: M) -> M:
    """Copy it for logs and spans: the copy holds PUBLIC and INTERNAL values only.

    A more sensitive text that was set reads as its class, as `[PHI]`; any other sensitive value
    is cleared, and so are fields unknown to this version and free-form ones without a class.
    """
    shown = type(message)()
    shown.CopyFrom(message)
    shown.DiscardUnknownFields()
    _redact(shown)
    return shown


def check_event(descriptor: Descriptor) -> list[str]:
    """Say what is wrong with an event's message type; nothing is when it can be sealed."""
    checks = (_sealed_field_faults, _type_faults, _place_faults)
    return [fault for check in checks for fault in check(descriptor)]


def events_among(messages: Iterable[Descriptor]) -> list[Descriptor]:
    """Pick the event types among a package's messages: those that are no part of another one."""
    candidates = list(messages)
    parts = {
        part for message in candidates for part in types_within(message) if part is not message
    }
    return [message for message in candidates if message not in parts]


def _paths(
    descriptor: Descriptor,
    at_least: Sensitivity.ValueType,
    prefix: str,
    above: frozenset[Descriptor],
) -> Iterator[str]:
    for field in descriptor.fields:
        kind = field.message_type
        if sensitivity_of(field) >= at_least:
            yield prefix + field.name
        elif kind is not None and kind not in above | {descriptor}:
            yield from _paths(kind, at_least, f"{prefix}{field.name}.", above | {descriptor})


def _redact(message: Message) -> None:
    for field, _ in message.ListFields():
        if sensitivity_of(field) >= SENSITIVITY_PII or is_free_form(field):
            message.ClearField(field.name)
            if field.type == FieldDescriptor.TYPE_STRING and not field.is_repeated:
                setattr(message, field.name, _label(field))
        else:
            for part in _parts(message, field):
                _redact(part)


def _parts(message: Message, field: FieldDescriptor) -> list[Message]:
    """List the messages that stand in a field."""
    kind = field.message_type
    if kind is None:
        return []
    value = getattr(message, field.name)
    if not field.is_repeated:
        return [value]
    if not is_map(field):
        return list(value)
    holds_messages = kind.fields_by_name["value"].message_type is not None
    return list(value.values()) if holds_messages else []


def _label(field: FieldDescriptor) -> str:
    return f"[{Sensitivity.Name(sensitivity_of(field)).removeprefix('SENSITIVITY_')}]"


def _sealed_field_faults(descriptor: Descriptor) -> Iterator[str]:
    name = descriptor.full_name
    sensitive = holds(descriptor, lambda field: sensitivity_of(field) >= SENSITIVITY_PII)
    sealed = descriptor.fields_by_name.get(SEALED_FIELD)
    if sealed is None:
        if sensitive:
            yield f"{name} has sensitive fields: declare {SEALED_TYPE} sealed = {SEALED_NUMBER}"
        return
    if not sensitive:
        yield f"{name} has no sensitive field: remove its field sealed"
    if not _is_sealed_field(sealed):
        yield f"{name}.sealed is not: {SEALED_TYPE} sealed = {SEALED_NUMBER}"


def _is_sealed_field(field: FieldDescriptor) -> bool:
    kind = field.message_type
    return (
        field.number == SEALED_NUMBER
        and not field.is_repeated
        and kind is not None
        and kind.full_name == SEALED_TYPE
    )


def _type_faults(descriptor: Descriptor) -> Iterator[str]:
    for kind in types_within(descriptor):
        for field in kind.fields:
            if sensitivity_of(field) == SENSITIVITY_SECRET:
                yield f"{field.full_name} is SECRET: no event may hold it"
            elif sensitivity_of(field) == SENSITIVITY_UNSPECIFIED:
                yield f"{field.full_name} is not classified: give it a sensitivity"


def _place_faults(
    descriptor: Descriptor, prefix: str = "", above: frozenset[Descriptor] = frozenset()
) -> Iterator[str]:
    """Find sensitive fields that no path of singular fields leads to."""
    for field in descriptor.fields:
        kind, path = field.message_type, prefix + field.name
        if kind is None or is_sealable(field):
            continue
        if is_free_form(field):
            yield f"{path} can hold anything: mark it PII or PHI, or say that it is INTERNAL"
        elif not holds(kind, is_sealable):
            continue
        elif field.is_repeated:
            yield f"{path} is repeated and holds sensitive fields: mark it PII or PHI itself"
        elif kind in above | {descriptor}:
            yield f"{path} holds a message of its own type: mark it PII or PHI itself"
        else:
            yield from _place_faults(kind, f"{path}.", above | {descriptor})
