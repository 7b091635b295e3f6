"""The class that a field's option gives it (careline.options.v1.sensitivity)."""

from collections.abc import Callable
from functools import lru_cache

from careline.options.v1 import options_pb2
from careline.options.v1.options_pb2 import (
    SENSITIVITY_INTERNAL,
    SENSITIVITY_PHI,
    SENSITIVITY_PII,
    SENSITIVITY_UNSPECIFIED,
    Sensitivity,
)
from google.protobuf.descriptor import Descriptor, FieldDescriptor

# Types whose content no descriptor knows: such a field must say by its own option what it holds.
FREE_FORM = frozenset(f"google.protobuf.{name}" for name in ("Any", "Struct", "Value", "ListValue"))

# Descriptors are some hundreds in a process; the bound is for those made at run time.
TYPES_KEPT = 4096
FIELDS_KEPT = 16 * TYPES_KEPT


@lru_cache(maxsize=FIELDS_KEPT)
def declared_sensitivity(field: FieldDescriptor) -> Sensitivity.ValueType | None:
    """Return what the field's option says, None without one."""
    options = field.GetOptions()
    if not options.HasExtension(options_pb2.sensitivity):
        return None
    return options.Extensions[options_pb2.sensitivity]


def sensitivity_of(field: FieldDescriptor) -> Sensitivity.ValueType:
    """Return what the field's option says; INTERNAL without one."""
    declared = declared_sensitivity(field)
    return SENSITIVITY_INTERNAL if declared is None else declared


def is_sealable(field: FieldDescriptor) -> bool:
    """Tell whether the field is lifted out of an event whole: it is PII or PHI."""
    return sensitivity_of(field) in {SENSITIVITY_PII, SENSITIVITY_PHI}


def is_free_form(field: FieldDescriptor) -> bool:
    """Tell whether neither the field's option nor its type tells what it holds."""
    kind = field.message_type
    unclassified = declared_sensitivity(field) in {None, SENSITIVITY_UNSPECIFIED}
    return unclassified and kind is not None and kind.full_name in FREE_FORM


def is_map(field: FieldDescriptor) -> bool:
    kind = field.message_type
    return kind is not None and kind.GetOptions().map_entry


@lru_cache(maxsize=TYPES_KEPT)
def types_within(descriptor: Descriptor) -> tuple[Descriptor, ...]:
    """List the message type and every type that a message of it can hold, each once."""
    found = {descriptor: None}
    waiting = [descriptor]
    while waiting:
        for field in waiting.pop().fields:
            kind = field.message_type
            if kind is not None and kind not in found:
                found[kind] = None
                waiting.append(kind)
    return tuple(found)


def holds(descriptor: Descriptor, such: Callable[[FieldDescriptor], bool]) -> bool:
    """Tell whether a message of the type can hold such a field, however deep."""
    return any(such(field) for kind in types_within(descriptor) for field in kind.fields)
