"""Whatever is asked in whatever order, a conversation keeps its promises.

The machine sends requests, some of them again, through the executor to a log in memory.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias, get_args

from careline.conversations.events.v1.events_pb2 import (
    ControlPassed,
    ConversationClosed,
    DeliveryReported,
    MessagePosted,
    TranscriptAppended,
)
from conversations.domain import delivery
from conversations.domain.conversation import (
    DECIDER,
    AuthorKind,
    Channel,
    Conversation,
    DeliveryStatus,
    Event,
)
from conversations.domain.lifecycle import CloseReason
from conversations.domain.patient import CallerLevel
from eventstore.decider import Rejected
from eventstore.execute import Executed, Executor, Request
from eventstore.ids import event_id, request_key
from eventstore.memory import MemoryEventLog
from eventstore.stream_id import StreamId
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from runtime.event_codec import LogCodec
from sealing.event_codec import EventCodec
from sealing.sealer import Sealer
from unit.conversations.given import (
    AGENT,
    AT,
    FRONTEND_OF,
    OTHER_AGENT,
    OTHER_PATIENT,
    PATIENT,
    SMS_FRONTEND,
    Command,
    accepted,
    agent_wrote,
    bot_wrote,
    closed,
    joined,
    leg_answered,
    leg_started,
    patient_wrote,
    queued,
    started,
    wrapped_up,
)
from unit.conversations.test_call_leg import ended, keys_pressed, line
from unit.conversations.test_patient import linked
from unit.sealing.keys_in_memory import KeysInMemory

STREAM = StreamId("demo", "conversations/0197dddd-0000-7000-8000-000000000001")
CHANNELS = st.sampled_from(Channel)
# None stands for whoever may.
SPEAKERS = st.none() | st.sampled_from([*FRONTEND_OF.values(), AGENT, OTHER_AGENT])
LEGS = st.sampled_from(["legs/1", "legs/2"])
Answer: TypeAlias = Executed[Conversation, Event] | Rejected


@dataclass(frozen=True)
class Asked:
    """A request that was sent, and what was answered."""

    request: Request
    command: Command
    answer: Answer


class AnyHistory(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.log = MemoryEventLog()
        self.codec = LogCodec(EventCodec(Sealer(KeysInMemory()), "conversations", get_args(Event)))
        self.executor = Executor(self.log, self.codec)
        self.asked: list[Asked] = []
        self.events: list[Event] = []

    def teardown(self) -> None:
        self.runner.close()

    @initialize(channel=CHANNELS)
    def start(self, channel: Channel) -> None:
        self.ask(lambda _: started(channel))

    @rule(channel=CHANNELS)
    def join(self, channel: Channel) -> None:
        self.ask(lambda _: joined(channel))

    @rule(channel=st.none() | CHANNELS, frontend=SPEAKERS)
    def patient_writes(self, channel: Channel | None, frontend: str | None) -> None:
        self.ask(
            lambda name: patient_wrote(
                f"messages/{name}", channel, frontend or FRONTEND_OF[channel or Channel.SMS]
            )
        )

    @rule(channel=st.none() | CHANNELS, frontend=SPEAKERS)
    def bot_writes(self, channel: Channel | None, frontend: str | None) -> None:
        by = frontend or self.holder()
        self.ask(lambda name: bot_wrote(f"messages/{name}", f"deliveries/{name}", by, channel))

    @rule(channel=st.none() | CHANNELS, agent=SPEAKERS)
    def agent_writes(self, channel: Channel | None, agent: str | None) -> None:
        by = agent or self.holder()
        self.ask(lambda name: agent_wrote(f"messages/{name}", f"deliveries/{name}", by, channel))

    @rule(speaker=st.sampled_from(AuthorKind), by=SPEAKERS, leg=LEGS)
    def speak(self, speaker: AuthorKind, by: str | None, leg: str) -> None:
        self.ask(lambda _: line(speaker, by or FRONTEND_OF[Channel.VOICE], leg))

    @rule(leg=LEGS, step=st.sampled_from([leg_started, leg_answered, keys_pressed, ended]))
    def call(self, leg: str, step: Callable[[str], Command]) -> None:
        self.ask(lambda _: step(leg))

    @rule(by=SPEAKERS)
    def pass_to_queue(self, by: str | None) -> None:
        self.ask(lambda _: queued(by or self.holder()))

    @rule(agent=st.sampled_from([AGENT, OTHER_AGENT]))
    def accept(self, agent: str) -> None:
        self.ask(lambda _: accepted(agent))

    @rule(to=st.sampled_from([PATIENT, OTHER_PATIENT]), level=st.sampled_from(CallerLevel))
    def link(self, to: str, level: CallerLevel) -> None:
        self.ask(lambda _: linked(to, level))

    @rule(status=st.sampled_from(DeliveryStatus), which=st.integers(0), frontend=SPEAKERS)
    def report(self, status: DeliveryStatus, which: int, frontend: str | None) -> None:
        deliveries = self.state().deliveries
        known = [*deliveries, "deliveries/none"]
        name = known[which % len(known)]
        by = frontend or (deliveries[name].frontend if name in deliveries else SMS_FRONTEND)
        self.ask(
            lambda _: (
                lambda state: delivery.report(
                    state,
                    delivery=name,
                    frontend=by,
                    status=status,
                    failure_code=None,
                    at=AT,
                )
            )
        )

    @rule(agent=SPEAKERS)
    def wrap_up(self, agent: str | None) -> None:
        self.ask(lambda _: wrapped_up(agent or self.holder()))

    @rule(by=SPEAKERS, reason=st.sampled_from(CloseReason))
    def close(self, by: str | None, reason: CloseReason) -> None:
        self.ask(lambda _: closed(by or self.holder(), reason))

    @precondition(lambda self: self.asked)
    @rule(which=st.integers(0), restarted=st.booleans())
    def repeat(self, which: int, restarted: bool) -> None:
        """Send a request again, perhaps to another process; what was done is answered alike."""
        if restarted:
            self.executor = Executor(self.log, self.codec)
        earlier = self.asked[which % len(self.asked)]
        before = self.recorded()
        answer = self.send(earlier.request, earlier.command)
        if isinstance(earlier.answer, Executed) and earlier.answer.events:
            assert isinstance(answer, Executed)
            assert answer.duplicate
            assert (answer.state, answer.revision, answer.position) == (
                earlier.answer.state,
                earlier.answer.revision,
                earlier.answer.position,
            )
            assert self.recorded() == before

    @invariant()
    def replay_is_live(self) -> None:
        live = self.send(self.new_request(-1), lambda _: [])
        assert isinstance(live, Executed)
        assert live.state == self.state()

    @invariant()
    def control_has_one_holder_in_stretches_without_gaps(self) -> None:
        passed = [event for event in self.events if isinstance(event, ControlPassed)]
        assert [event.epoch for event in passed] == list(range(1, len(passed) + 1))
        if passed:
            control = self.state().control
            assert (control.holder_kind, control.holder) == (
                passed[-1].holder_kind,
                passed[-1].holder,
            )

    @invariant()
    def whoever_speaks_holds_control(self) -> None:
        holder = ("", "")
        for event in self.events:
            if isinstance(event, ControlPassed):
                holder = (event.holder_kind, event.holder)
            elif isinstance(event, MessagePosted) and event.author_kind != "PATIENT":
                assert (event.author_kind, event.author) == holder
            elif isinstance(event, TranscriptAppended) and event.speaker_kind != "PATIENT":
                assert event.speaker_kind == holder[0]

    @invariant()
    def nothing_but_reports_follows_the_end(self) -> None:
        ends = [n for n, event in enumerate(self.events) if isinstance(event, ConversationClosed)]
        assert len(ends) <= 1
        after = self.events[ends[0] + 1 :] if ends else []
        assert all(isinstance(event, DeliveryReported) for event in after)

    @invariant()
    def no_request_speaks_twice(self) -> None:
        said = [event.message for event in self.events if isinstance(event, MessagePosted)]
        assert len(said) == len(set(said))

    @invariant()
    def what_is_committed_covers_what_happened(self) -> None:
        ends = 2
        assert len(self.events) <= self.state().committed + ends

    def ask(self, command_of: Callable[[str], Command]) -> None:
        """Send a new request, whose number names what it makes."""
        number = len(self.asked)
        command, request = command_of(str(number)), self.new_request(number)
        self.asked.append(Asked(request, command, self.send(request, command)))

    def send(self, request: Request, command: Command) -> Answer:
        try:
            answer: Answer = self.runner.run(
                self.executor.execute(
                    STREAM, DECIDER, command, subject=STREAM.name, request=request
                )
            )
        except Rejected as refused:
            answer = refused
        self.events = self.recorded()
        return answer

    def recorded(self) -> list[Event]:
        async def read() -> list[Any]:
            return [self.codec.decode(event) async for event in self.log.read_stream(STREAM)]

        return self.runner.run(read())

    def state(self) -> Conversation:
        return DECIDER.fold(DECIDER.initial, self.events)

    def holder(self) -> str:
        """Whoever speaks for the patient line, the starter when nobody does."""
        state = self.state()
        return state.control.holder or state.channels[0].frontend

    def new_request(self, number: int) -> Request:
        key = request_key("demo", "serviceAccounts/any", "ask", str(number))
        return Request(
            lambda ordinal: event_id(key, ordinal, 1_740_000_000_000),
            number.to_bytes(32, "big", signed=True),
            b"",
        )


TestAnyHistory = AnyHistory.TestCase
TestAnyHistory.settings = settings(max_examples=50, stateful_step_count=40, deadline=None)
