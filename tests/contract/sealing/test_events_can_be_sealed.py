"""Every event type that is in the protos can be sealed without a leak."""

import importlib
import pkgutil
from collections.abc import Iterator

import careline
import pytest
from google.protobuf.descriptor import Descriptor, FileDescriptor
from google.protobuf.message_factory import GetMessageClass
from sealing.lifting import require_sealable
from sealing.sensitivity import check_event, events_among


def files_of_events() -> Iterator[FileDescriptor]:
    for module in pkgutil.walk_packages(careline.__path__, "careline."):
        if ".events.v1." in module.name and module.name.endswith("_pb2"):
            yield importlib.import_module(module.name).DESCRIPTOR


def packages() -> dict[str, list[Descriptor]]:
    messages: dict[str, list[Descriptor]] = {}
    for file in files_of_events():
        messages.setdefault(file.package, []).extend(file.message_types_by_name.values())
    return messages


EVENTS = [event for messages in packages().values() for event in events_among(messages)]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.full_name)
def test_an_event_type_is_in_order(event: Descriptor) -> None:
    assert check_event(event) == []
    require_sealable(GetMessageClass(event))


def test_the_events_of_every_service_that_has_some_are_looked_at() -> None:
    assert {package.split(".")[1] for package in packages()} >= {"conversations", "patient_context"}
    assert len(EVENTS) > 50


def test_whatever_declares_sealed_fields_counts_as_an_event() -> None:
    parts = {
        message.full_name
        for messages in packages().values()
        for message in messages
        if "sealed" in message.fields_by_name and message not in EVENTS
    }

    assert parts == set()
