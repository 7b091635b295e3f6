"""A process of the load: appends sealed events to a service's log as the service does."""

import asyncio
import hashlib
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from careline.log.v1.recorded_event_pb2 import EventMetadata
from eventstore.errors import EventLogError
from eventstore.event_log import Write
from eventstore.expected_revision import ExpectedRevision
from eventstore.stream_id import StreamId
from google.protobuf.message import Message
from runtime.new_id import new_id
from runtime.principal import service_principal
from sealing.keyring.errors import KeyringError, SubjectErased

from careline_cli.drill import stories
from careline_cli.drill.journals import Acknowledged, WriterJournal
from careline_cli.drill.own_log import CONVERSATIONS, Access, OwnLog, own_log
from careline_cli.drill.pace import Pace
from careline_cli.tenant import DEMO_TENANT

_LINKED_EVERY: Final = 10


@dataclass(frozen=True, slots=True)
class Assignment:
    """What a writer is told when it is spawned: whose log, where journals go, appends a second, by
    how many callers at once, and the patient some of whose conversations it has.

    The end is announced by a file: what processes share in memory, a SIGKILL can leave locked.
    """

    access: Access
    folder: Path
    rate: float
    callers: int
    patient: str

    @property
    def is_over(self) -> bool:
        return self._end.exists()

    def end(self) -> None:
        self._end.touch()

    @property
    def _end(self) -> Path:
        return self.folder / "end"


def write(assignment: Assignment) -> None:
    """Append until the end is announced."""
    # What fails once the servers are gone is expected, and the journal has it.
    logging.getLogger().addHandler(logging.NullHandler())
    asyncio.run(_write(assignment))


async def _write(assignment: Assignment) -> None:
    journal = WriterJournal(assignment.folder)
    try:
        async with own_log(assignment.access) as own:
            writer = _Writer(assignment, own, journal)
            async with asyncio.TaskGroup() as group:
                for _ in range(assignment.callers):
                    group.create_task(writer.tell_on())
    finally:
        journal.close()


class _Writer:
    def __init__(self, assignment: Assignment, own: OwnLog, journal: WriterJournal) -> None:
        self._assignment = assignment
        self._own = own
        self._journal = journal
        self._pace = Pace(assignment.rate)
        self._service = assignment.access.service
        self._begun = 0
        self._patient_lives = True
        self._metadata = EventMetadata(
            actor=service_principal(self._service).actor(),
            purpose_of_use="TREAT",
            action=f"{self._service}.drill",
        ).SerializeToString(deterministic=True)

    async def tell_on(self) -> None:
        """Tell story after story; what fails is noted, and another one begun."""
        while not self._assignment.is_over:
            try:
                await self._tell(await self._begin())
            except (EventLogError, KeyringError) as error:
                self._journal.refuses(error)

    async def _begin(self) -> stories.Story:
        number, self._begun = self._begun, self._begun + 1
        if self._service != CONVERSATIONS:
            # The first is the patient whose conversations the other writers link.
            return stories.patient(stories.new_patient() if number else self._assignment.patient)
        name = stories.new_conversation()
        if number % _LINKED_EVERY == 0 and self._patient_lives:
            await self._link(name)
        return stories.conversation(name)

    async def _link(self, conversation: str) -> None:
        try:
            await self._own.keyring.link(DEMO_TENANT, conversation, self._assignment.patient)
        except SubjectErased:
            self._patient_lives = False
        else:
            self._journal.links(conversation)

    async def _tell(self, story: stories.Story) -> None:
        for revision, event in enumerate(story.events):
            await self._pace.turn()
            if self._assignment.is_over:
                return
            await self._append(story, revision, event)

    async def _append(self, story: stories.Story, revision: int, event: Message) -> None:
        event_id, stream = new_id(), StreamId(DEMO_TENANT, story.stream)
        content = content_of(event)
        expected = ExpectedRevision.exact(revision - 1) if revision else ExpectedRevision.NO_STREAM
        digest = hashlib.sha256(event_id.bytes).digest()
        encoded = await self._own.codec.encode(
            stream, story.stream, [event_id], [event], self._metadata, digest
        )
        self._journal.asks(str(event_id), content)
        appended = await self._own.log.append(
            Write(stream, expected, encoded), durability=story.durability
        )
        self._journal.acknowledges(
            Acknowledged(
                str(event_id),
                self._service,
                story.stream,
                appended.revisions[0],
                appended.position,
                story.durability,
                time.monotonic(),
                time.time(),
                content,
            )
        )


def content_of(event: Message) -> str:
    """Give the SHA-256 of a message in clear, by which it is known again."""
    return hashlib.sha256(event.SerializeToString(deterministic=True)).hexdigest()
