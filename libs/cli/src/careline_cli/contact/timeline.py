"""What the services have on record of a contact: read back from them, not from what was played."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import grpc
from careline.audit.v1 import audit_service_pb2 as audit_pb2
from careline.conversations.v1 import conversation_pb2 as conversation
from careline.conversations.v1 import conversation_service_pb2 as conversations_pb2
from careline.log.v1 import log_service_pb2 as log_pb2
from careline.log.v1.log_service_pb2_grpc import LogServiceStub

from careline_cli.command_error import CommandError
from careline_cli.contact.caller import Caller
from careline_cli.contact.stubs import Stubs

COVERAGE_SECONDS = 30.0
POLL_SECONDS = 0.1
PAGE = 500


class TrailBehind(CommandError):
    """The audit trail did not catch up with the logs in time; the text names the service."""


@dataclass(frozen=True, slots=True)
class Line:
    """One event of the contact, as the service that owns it recorded it."""

    time: datetime
    service: str
    channel: str
    actor: str
    event: str

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "time": self.time.isoformat()}


@dataclass(frozen=True, slots=True)
class Timeline:
    """A contact as recorded: its lines in order of time and the disclosures in it."""

    conversation: str
    trace: str
    lines: tuple[Line, ...]
    disclosures: tuple[audit_pb2.Access, ...]


async def trail_covers(stubs: Stubs, operator: Caller, logs: Mapping[str, LogServiceStub]) -> None:
    """Wait until audit has followed every service's log to its head. Raises TrailBehind."""
    heads = {
        service: (await operator.call(log.GetHead, log_pb2.GetHeadRequest())).position
        for service, log in logs.items()
        if service != "audit"
    }
    behind = dict(heads)
    try:
        async with asyncio.timeout(COVERAGE_SECONDS):
            while behind:
                answer = await operator.call(
                    stubs.audit.GetCoverage, audit_pb2.GetCoverageRequest()
                )
                reached = {one.service: one.position for one in answer.coverage}
                behind = {
                    service: head
                    for service, head in heads.items()
                    if reached.get(service, 0) < head
                }
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise TrailBehind(
            f"audit has not caught up with {', '.join(sorted(behind))}; see: careline status"
        ) from None


async def read_timeline(
    stubs: Stubs, operator: Caller, reader: Caller, *, name: str, patient: str, trace: str
) -> Timeline:
    """Read a contact back: actions and disclosures from audit, channels from its history.

    `operator` reads the trail; `reader` is a principal that may read the conversation.
    """
    channels = await _channels(stubs, reader, name)
    seen = 0
    lines: list[Line] = []
    async for action in _actions(stubs, operator, trace):
        channel = ""
        if action.stream == name:
            channel = channels.get(seen, "")
            seen += 1
        lines.append(_line(action, channel))
    accesses = [one async for one in _accesses(stubs, operator, patient) if one.trace_id == trace]
    return Timeline(name, trace, tuple(sorted(lines, key=lambda one: one.time)), tuple(accesses))


async def _channels(stubs: Stubs, reader: Caller, name: str) -> dict[int, str]:
    """Give the channel of each revision of the conversation that has one."""
    channels: dict[int, str] = {}
    async for answer in reader.with_purpose("TREAT").stream(
        stubs.conversations.WatchConversation,
        conversations_pb2.WatchConversationRequest(conversation=name, snapshot=True),
    ):
        for entry in answer.entries:
            if entry.channel:
                short = conversation.Channel.Name(entry.channel).removeprefix("CHANNEL_")
                channels[entry.revision] = short
    return channels


async def _actions(
    stubs: Stubs, operator: Caller, trace: str
) -> AsyncIterator[audit_pb2.RecordedAction]:
    token = ""
    while True:
        page = await operator.call(
            stubs.audit.ListActions,
            audit_pb2.ListActionsRequest(trace_id=trace, page_size=PAGE, page_token=token),
        )
        for action in page.actions:
            yield action
        token = page.next_page_token
        if not token:
            return


async def _accesses(
    stubs: Stubs, operator: Caller, patient: str
) -> AsyncIterator[audit_pb2.Access]:
    token = ""
    while True:
        page = await operator.call(
            stubs.audit.ListAccesses,
            audit_pb2.ListAccessesRequest(patient=patient, page_size=PAGE, page_token=token),
        )
        for access in page.accesses:
            yield access
        token = page.next_page_token
        if not token:
            return


def _line(action: audit_pb2.RecordedAction, channel: str) -> Line:
    return Line(
        time=action.time.ToDatetime(tzinfo=UTC),
        service=action.service,
        channel=channel,
        actor=action.actor.name,
        event=action.type.rpartition(".")[2],
    )


def log_stubs(channels: Mapping[str, grpc.aio.Channel]) -> dict[str, LogServiceStub]:
    """Give a LogService stub on each service's channel."""
    return {service: LogServiceStub(channel) for service, channel in channels.items()}
