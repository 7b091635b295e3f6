"""Reads whole logs after a recovery, and opens what the load wrote."""

import hashlib
from collections.abc import AsyncIterator, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from eventstore.event import RecordedEvent

from careline_cli.drill.own_log import EVENTS, OwnLog, admitted, own_log
from careline_cli.drill.verdict import Found
from careline_cli.drill.writer import content_of
from careline_cli.platform.data_directory import DataDirectory

_PAGE: Final = 500


@dataclass(slots=True)
class Reading:
    """The load's events as they are, and breaches: events that do not follow the one before."""

    found: list[Found] = field(default_factory=list)
    breaches: int = 0


async def read_logs(data: DataDirectory, folder: Path, asked: Collection[str]) -> Reading:
    """Read the logs that the load goes to, each by its own service's rights."""
    reading = Reading()
    for service in EVENTS:
        async with own_log(admitted(data, service, folder / service)) as own:
            async for page in _pages(own.log.read_log(), asked, reading):
                await _open(own, service, page, reading)
    return reading


async def _pages(
    events: AsyncIterator[RecordedEvent], asked: Collection[str], reading: Reading
) -> AsyncIterator[list[RecordedEvent]]:
    """Give what the load asked for, in pages, and hold each event against the one before it."""
    page: list[RecordedEvent] = []
    heads: dict[tuple[str, str], int] = {}
    last = 0
    async for event in events:
        stream = (event.stream.tenant, event.stream.name)
        follows = event.revision == heads.get(stream, -1) + 1
        reading.breaches += not (follows and event.position > last)
        heads[stream], last = event.revision, event.position
        if str(event.id) in asked:
            page.append(event)
        if len(page) == _PAGE:
            yield page
            page = []
    if page:
        yield page


async def _open(own: OwnLog, service: str, page: list[RecordedEvent], reading: Reading) -> None:
    for event, opened in zip(page, await own.codec.open(page), strict=True):
        content = None if opened.erased else content_of(opened.message)
        reading.found.append(
            Found(
                str(event.id), service, event.position, event.stream.name, event.revision, content
            )
        )


async def digest_up_to(data: DataDirectory, folder: Path, service: str, position: int) -> str:
    """Give the SHA-256 over position, id and bytes of a log's events up to a position, in hex."""
    digest = hashlib.sha256()
    async with own_log(admitted(data, service, folder)) as own:
        async for event in own.log.read_log(until=position):
            digest.update(event.position.to_bytes(8, "big") + event.id.bytes + event.data)
    return digest.hexdigest()
