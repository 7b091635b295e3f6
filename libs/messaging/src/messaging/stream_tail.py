"""Where a stream ends, and from where on the log goes into it."""

from dataclasses import dataclass

from eventstore.event_log import Head
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from nats.js.errors import NotFoundError

from messaging.headers import MessageMalformed, Origin, origin_of
from messaging.names import stream_name
from messaging.stuck import Reason, Stuck


@dataclass(frozen=True, slots=True)
class StreamTail:
    """The last sequence a stream gave out, and what its last message that is there says.

    `origin` is None when no message is there, or the last is none of ours (`is_foreign`).
    """

    last_sequence: int
    message_sequence: int
    origin: Origin | None
    is_foreign: bool
    config: StreamConfig


@dataclass(frozen=True, slots=True)
class Resumption:
    """Publish what comes after `position`, the next message being expected after `sequence`."""

    position: int
    sequence: int


async def read_tail(js: JetStreamContext, service: str) -> StreamTail:
    """Look at the end of a service's stream. Raises Stuck when there is none."""
    name = stream_name(service)
    try:
        info = await js.stream_info(name)
    except NotFoundError as error:
        raise Stuck(Reason.NOT_PROVISIONED, name) from error
    last = info.state.last_seq
    try:
        message = await js.get_last_msg(name, ">")
    except NotFoundError:
        return StreamTail(last, 0, None, False, info.config)
    sequence = message.seq or 0
    # What was published since the first look counts as seen.
    last = max(last, sequence)
    try:
        origin = origin_of(message.headers or {})
    except MessageMalformed:
        return StreamTail(last, sequence, None, True, info.config)
    is_foreign = origin.source != service
    return StreamTail(last, sequence, None if is_foreign else origin, is_foreign, info.config)


def resume_after(tail: StreamTail, checkpoint: int, head: Head) -> Resumption:
    """Decide where publishing goes on: after the stream's last event, whatever the checkpoint says.

    The checkpoint counts only when the stream's last message is gone (expired, or deleted by
    somebody who may), for it then knows more than the stream. Raises Stuck when stream and log
    do not belong together.
    """
    if tail.is_foreign:
        raise Stuck(Reason.STREAM_FOREIGN)
    position = 0
    if tail.origin is not None:
        if tail.origin.epoch != head.epoch:
            raise Stuck(Reason.OTHER_EPOCH)
        if tail.origin.position > head.position:
            raise Stuck(Reason.STREAM_AHEAD)
        position = tail.origin.position
    if tail.message_sequence < tail.last_sequence:
        position = max(position, checkpoint)
    return Resumption(position, tail.last_sequence)
