"""Links a conversation to the patient that a caller's assertion names."""

from dataclasses import dataclass
from typing import Protocol

from eventstore.decider import Rejected
from eventstore.stream_id import StreamId
from google.protobuf.message import Message
from runtime.access import Access
from runtime.refusal import Refused
from runtime.request_context import current_request

from conversations.application.commands import Commands, Done
from conversations.application.current_state import ConversationReader
from conversations.application.occasion import Occasion
from conversations.application.relations import require_access
from conversations.domain import patient
from conversations.domain.conversation import Conversation, Event
from conversations.domain.patient import CallerLevel


@dataclass(frozen=True, slots=True)
class Asserted:
    """Who the caller is, and how sure identity is of it: a level's name."""

    patient: str
    level: str


class Assertions(Protocol):
    """Checks callers' assertions."""

    async def asserted(self, text: str, *, tenant: str, conversation: str) -> Asserted:
        """Give what is asserted of this conversation; raises AssertionInvalid."""


class PatientLinks(Protocol):
    """Says whose data a conversation holds, so that an erasure reaches it: sealing's Keyring."""

    async def link(self, tenant: str, subject: str, patient: str) -> None: ...

    async def unlink(self, tenant: str, subject: str, patient: str) -> None: ...


class Linking:
    """Verifies the assertion, links in the keyring, and only then appends.

    A keyring link whose append did not happen is taken back as soon as it is known that it never
    will: linked to two patients, the conversation would outlive the erasure of either.
    """

    def __init__(
        self,
        commands: Commands,
        reader: ConversationReader,
        access: Access,
        assertions: Assertions,
        links: PatientLinks,
    ) -> None:
        self._commands = commands
        self._reader = reader
        self._access = access
        self._assertions = assertions
        self._links = links

    async def link(self, name: str, message: Message, caller_assertion: str) -> Done:
        """Raise AssertionInvalid, SubjectErased when the patient was erased, and Rejected."""
        stream = StreamId(current_request().tenant, name)
        state = (await self._reader.read(stream)).state
        require_access(self._access, name, state)
        asserted = await self._assertions.asserted(
            caller_assertion, tenant=stream.tenant, conversation=name
        )
        if asserted.level not in CallerLevel.__members__:
            raise Refused("ASSERTION_INVALID")
        if state.patient in ("", asserted.patient):
            await self._links.link(stream.tenant, name, asserted.patient)

        def command(state: Conversation, occasion: Occasion) -> list[Event]:
            level = CallerLevel[asserted.level]
            return patient.link(state, patient=asserted.patient, level=level, at=occasion.at)

        try:
            return await self._commands.execute(name, message, command)
        except Rejected:
            await self._take_back(stream, asserted.patient)
            raise

    async def _take_back(self, stream: StreamId, patient: str) -> None:
        """Unlink whom the conversation is not linked to; it refused, and will for ever."""
        if (await self._reader.read(stream)).state.patient != patient:
            await self._links.unlink(stream.tenant, stream.name, patient)
