"""Stores an example of every released version of an event that has none; changes nothing else.

`make proto-release` runs it: what was released can be read for ever, and that is tested on bytes
that were written at the time.
"""

import asyncio
from pathlib import Path
from uuid import NAMESPACE_OID, uuid5

from contract.stored_events.example import fill
from contract.stored_events.fixed_keys import FixedKeys
from contract.stored_events.released import released_events, version_of
from contract.stored_events.stored_line import (
    FOLDER,
    STREAM,
    TENANT,
    StoredLine,
    add_line,
    read_lines,
)
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from sealing.event_codec import EventCodec
from sealing.sealer import Sealer
from sealing.sensitivity import paths_of

IMAGE = Path(__file__).resolve().parents[3] / "protos" / "released.binpb"
_LOG_OF_SHARED = "identity"
"""careline.log.events are facts that every service's log holds; one of them stands for all."""


async def record(image: bytes, folder: Path = FOLDER) -> list[StoredLine]:
    """Add the lines that are missing, and give them."""
    known = {(line.type, line.version) for line in read_lines(folder)}
    lines = [
        await _stored(name, kind)
        for name, kind in sorted(released_events(image).items())
        if (name, version_of(kind)) not in known
    ]
    for line in lines:
        add_line(folder, line)
    return lines


async def _stored(name: str, kind: type[Message]) -> StoredLine:
    version = version_of(kind)
    event_id = uuid5(NAMESPACE_OID, f"{name} {version}")
    segment = name.split(".")[1]
    log = _LOG_OF_SHARED if segment == "log" else segment
    event = kind()
    fill(event)
    (sealed,) = await EventCodec(Sealer(FixedKeys()), log, [kind]).seal_events(
        tenant=TENANT, stream=STREAM, subject=STREAM, ids=[event_id], events=[event]
    )
    return StoredLine(
        type=name,
        version=version,
        log=log,
        event_id=str(event_id),
        data=sealed.data.hex(),
        sealed=_sealed_paths(kind, sealed.data),
        event=MessageToDict(event, preserving_proto_field_name=True),
    )


def _sealed_paths(kind: type[Message], data: bytes) -> tuple[str, ...]:
    if not paths_of(kind.DESCRIPTOR):
        return ()
    message = kind()
    message.ParseFromString(data)
    sealed: list[str] = MessageToDict(message)["sealed"]["paths"]
    return tuple(sealed)


if __name__ == "__main__":
    asyncio.run(record(IMAGE.read_bytes()))
