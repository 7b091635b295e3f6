"""One conversation: its state, and what each event makes of it. The commands lie beside, by noun.

No field of the state holds what a person said or is: `evolve` reads neither PII nor PHI.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Final, TypeAlias

from careline.conversations.events.v1.events_pb2 import (
    CallLegAnswered,
    CallLegEnded,
    CallLegStarted,
    ChannelJoined,
    ControlPassed,
    ConversationClosed,
    ConversationStarted,
    ConversationWrappedUp,
    DeliveryQueued,
    DeliveryReported,
    KeyPressRecorded,
    MessagePosted,
    PatientLinked,
    TranscriptAppended,
)
from eventstore.decider import Decider

Event: TypeAlias = (
    ConversationStarted
    | ChannelJoined
    | MessagePosted
    | DeliveryQueued
    | DeliveryReported
    | ControlPassed
    | PatientLinked
    | CallLegStarted
    | CallLegAnswered
    | KeyPressRecorded
    | TranscriptAppended
    | CallLegEnded
    | ConversationWrappedUp
    | ConversationClosed
)

EVENTS_OF_DELIVERY: Final = 3
"""A delivery is queued, and reported twice at most."""
EVENTS_OF_LEG: Final = 3
"""A leg is started, answered and ended."""


class Status(StrEnum):
    NEW = "new"
    OPEN = "open"
    WRAPPED_UP = "wrapped_up"
    CLOSED = "closed"


class Channel(StrEnum):
    VOICE = "VOICE"
    SMS = "SMS"
    CHAT = "CHAT"


class AuthorKind(StrEnum):
    PATIENT = "PATIENT"
    BOT = "BOT"
    AGENT = "AGENT"


class HolderKind(StrEnum):
    BOT = "BOT"
    QUEUE = "QUEUE"
    AGENT = "AGENT"


class LegState(StrEnum):
    RINGING = "ringing"
    ANSWERED = "answered"
    ENDED = "ended"


class DeliveryStatus(StrEnum):
    QUEUED = "QUEUED"
    SENT = "SENT"
    DELIVERED = "DELIVERED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class JoinedChannel:
    """A channel and the frontend that serves it here, as "serviceAccounts/<id>"."""

    channel: Channel
    frontend: str


@dataclass(frozen=True, slots=True)
class Control:
    """Who may speak for the patient line; `holder` is empty for the queue.

    `epoch` counts the stretches of control from 1.
    """

    holder_kind: HolderKind
    holder: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way, and the frontend that is to send it."""

    frontend: str
    status: DeliveryStatus


@dataclass(frozen=True, slots=True)
class Conversation:
    """What the next decision, and whoever asks for the conversation, needs to know.

    `channels` are in the order they joined, `last_channel` is the one that the person used last,
    `starter_channels` are all that the frontend serves which started it. `agents` hold or held
    control. `committed` counts the events so far and those that are still owed to what goes on.
    """

    status: Status = Status.NEW
    channels: tuple[JoinedChannel, ...] = ()
    starter_channels: frozenset[Channel] = frozenset()
    last_channel: Channel | None = None
    control: Control = Control(HolderKind.QUEUE, "", 0)
    agents: frozenset[str] = frozenset()
    patient: str = ""
    caller_level: str = ""
    legs: Mapping[str, LegState] = field(default_factory=lambda: MappingProxyType({}))
    deliveries: Mapping[str, Delivery] = field(default_factory=lambda: MappingProxyType({}))
    disposition: str = ""
    close_reason: str = ""
    create_time: datetime | None = None
    close_time: datetime | None = None
    committed: int = 0

    def frontend_of(self, channel: Channel) -> str:
        """Give the frontend that serves a channel here; empty when the channel has not joined."""
        return next((one.frontend for one in self.channels if one.channel is channel), "")

    def is_served_by(self, principal: str) -> bool:
        return any(one.frontend == principal for one in self.channels)


# One case an event, so that the type checker sees the one that is missing.
def evolve(state: Conversation, event: Event) -> Conversation:  # noqa: C901, PLR0911, PLR0912
    match event:
        case ConversationStarted():
            return _started(state, event)
        case ChannelJoined():
            return _joined(state, JoinedChannel(Channel(event.channel), event.frontend))
        case MessagePosted():
            return _said(state, AuthorKind(event.author_kind), Channel(event.channel))
        case DeliveryQueued():
            return _queued(state, event)
        case DeliveryReported():
            return _reported(state, event)
        case ControlPassed():
            return _passed(state, event)
        case PatientLinked():
            linked = replace(state, patient=event.patient, caller_level=event.caller_level)
            return _counted(linked)
        case CallLegStarted():
            return _counted(_leg(state, event.leg, LegState.RINGING), EVENTS_OF_LEG)
        case CallLegAnswered():
            return _leg(state, event.leg, LegState.ANSWERED)
        case KeyPressRecorded():
            return _said(state, AuthorKind.PATIENT, Channel.VOICE)
        case TranscriptAppended():
            return _said(state, AuthorKind(event.speaker_kind), Channel.VOICE)
        case CallLegEnded():
            return _leg(state, event.leg, LegState.ENDED)
        case ConversationWrappedUp():
            return replace(state, status=Status.WRAPPED_UP, disposition=event.disposition)
        case ConversationClosed():
            return replace(
                state,
                status=Status.CLOSED,
                close_reason=event.reason,
                close_time=event.close_time.ToDatetime(UTC),
            )


DECIDER: Final[Decider[Conversation, Event]] = Decider(Conversation(), evolve)


def _started(state: Conversation, event: ConversationStarted) -> Conversation:
    opened = replace(
        state,
        status=Status.OPEN,
        starter_channels=frozenset(Channel(one) for one in event.served_channels),
        create_time=event.start_time.ToDatetime(UTC),
    )
    return _joined(opened, JoinedChannel(Channel(event.channel), event.frontend))


def _joined(state: Conversation, joined: JoinedChannel) -> Conversation:
    channels = state.channels if joined in state.channels else (*state.channels, joined)
    return _counted(replace(state, channels=channels, last_channel=joined.channel))


def _said(state: Conversation, author: AuthorKind, channel: Channel) -> Conversation:
    last = channel if author is AuthorKind.PATIENT else state.last_channel
    return _counted(replace(state, last_channel=last))


def _queued(state: Conversation, event: DeliveryQueued) -> Conversation:
    queued = Delivery(event.frontend, DeliveryStatus.QUEUED)
    deliveries = MappingProxyType({**state.deliveries, event.delivery: queued})
    return _counted(replace(state, deliveries=deliveries), EVENTS_OF_DELIVERY)


def _reported(state: Conversation, event: DeliveryReported) -> Conversation:
    """Note the report; it was counted when the delivery was queued."""
    reported = replace(state.deliveries[event.delivery], status=DeliveryStatus(event.status))
    return replace(
        state, deliveries=MappingProxyType({**state.deliveries, event.delivery: reported})
    )


def _passed(state: Conversation, event: ControlPassed) -> Conversation:
    control = Control(HolderKind(event.holder_kind), event.holder, event.epoch)
    newcomers = {control.holder} if control.holder_kind is HolderKind.AGENT else set[str]()
    return _counted(replace(state, control=control, agents=state.agents | newcomers))


def _leg(state: Conversation, leg: str, became: LegState) -> Conversation:
    return replace(state, legs=MappingProxyType({**state.legs, leg: became}))


def _counted(state: Conversation, events: int = 1) -> Conversation:
    return replace(state, committed=state.committed + events)
