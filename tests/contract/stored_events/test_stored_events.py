"""Every version of an event that was ever released is read by today's code."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from audit.compose import AUDIT
from careline.log.events.v1 import events_pb2 as shared
from contract.deciders.all_deciders import ALL
from contract.deciders.any_event import BEFORE
from contract.stored_events.fixed_keys import FixedKeys
from contract.stored_events.record import IMAGE, record
from contract.stored_events.released import released_events, version_of
from contract.stored_events.stored_line import FOLDER, StoredLine, read_lines
from conversations.compose import CONVERSATIONS
from federation.compose import FEDERATION
from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorSet
from google.protobuf.json_format import ParseDict
from identity.compose import IDENTITY
from patient_context.compose import PATIENT_CONTEXT
from routing.compose import ROUTING
from runtime.service import Service, event_types
from sealing.event_codec import EventCodec
from sealing.sealer import Sealer

SERVICES: dict[str, Service[Any]] = {
    service.package: service
    for service in (AUDIT, CONVERSATIONS, FEDERATION, IDENTITY, PATIENT_CONTEXT, ROUTING)
}
LINES = read_lines()
EACH = pytest.mark.parametrize("line", LINES, ids=lambda line: f"{line.type}-{line.version}")
DECIDERS = {kind.DESCRIPTOR.full_name: folded for folded in ALL for kind in folded.events}
FOLDED_BY_NONE = ("careline.audit.events.", "careline.log.events.")
"""Facts that no state follows from: audit's and every log's own."""


def codec(line: StoredLine, *, erased: bool = False) -> EventCodec:
    service = SERVICES[line.log]
    types = event_types((*service.events, shared))
    return EventCodec(Sealer(FixedKeys(erased=erased)), line.log, types, service.upcasters)


@EACH
async def test_a_stored_event_opens_as_it_was_written(line: StoredLine) -> None:
    today = codec(line)

    (opened,) = await today.open_events([line.stored])

    assert opened.erased == ()
    if not any(step.old.DESCRIPTOR.full_name == line.type for step in SERVICES[line.log].upcasters):
        assert opened.message.DESCRIPTOR.full_name == line.type
        assert opened.message == ParseDict(line.event, type(opened.message)())


@EACH
async def test_a_stored_event_that_was_erased_says_what_was(line: StoredLine) -> None:
    today = codec(line, erased=True)

    (opened,) = await today.open_events([line.stored])

    moved = {
        step.old.DESCRIPTOR.full_name: step.sealed_paths for step in SERVICES[line.log].upcasters
    }
    assert len(opened.erased) == len(
        [path for path in line.sealed if moved.get(line.type, {}).get(path, path)]
    )


@EACH
def test_a_stored_event_is_folded_without_a_key(line: StoredLine) -> None:
    event = codec(line).decode(line.type, line.stored.data)
    name = event.DESCRIPTOR.full_name
    if name.startswith(FOLDED_BY_NONE):
        assert name not in DECIDERS
        return
    folded = DECIDERS[name]
    decider = folded.decider

    state = decider.fold(decider.initial, [*BEFORE.get(folded.name, ()), event])

    assert type(state) is type(decider.initial)


def test_every_released_version_of_an_event_has_stored_bytes() -> None:
    stored = {(line.type, line.version) for line in LINES}
    released = {
        (name, version_of(kind)) for name, kind in released_events(IMAGE.read_bytes()).items()
    }

    assert released - stored == set(), "make proto-release stores them"
    assert len(released) > 50


async def test_what_is_stored_already_is_left_as_it_is(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "bytes")

    added = await record(IMAGE.read_bytes(), tmp_path / "bytes")

    assert added == []
    assert read_lines(tmp_path / "bytes") == LINES


async def test_a_released_field_more_is_another_version_below_the_others(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "bytes")
    grown = _with_field(
        IMAGE.read_bytes(), "careline/routing/events/v1/events.proto", "QueueCreated"
    )

    (added,) = await record(grown, tmp_path / "bytes")

    assert added.type == "careline.routing.events.v1.QueueCreated"
    assert added.event["more"] == "more/1"
    before = (FOLDER / "routing.jsonl").read_text(encoding="utf-8")
    after = (tmp_path / "bytes" / "routing.jsonl").read_text(encoding="utf-8")
    assert after == f"{before}{added.as_text()}\n"


async def test_the_same_release_stores_the_same_bytes(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder in folders:
        folder.mkdir()
        await record(IMAGE.read_bytes(), folder)

    assert read_lines(folders[0]) == read_lines(folders[1])
    assert {line.type for line in read_lines(folders[0])} <= {line.type for line in LINES}


def _with_field(image: bytes, file_name: str, message_name: str) -> bytes:
    files = FileDescriptorSet.FromString(image)
    (file,) = (one for one in files.file if one.name == file_name)
    (message,) = (one for one in file.message_type if one.name == message_name)
    message.field.add(
        name="more",
        number=900,
        type=FieldDescriptorProto.TYPE_STRING,
        label=FieldDescriptorProto.LABEL_OPTIONAL,
    )
    return files.SerializeToString()
