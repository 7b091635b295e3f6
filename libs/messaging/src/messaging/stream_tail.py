"""Where a stream ends, and from where on the log goes into it."""

from dataclasses import dataclass
from datetime import datetime

from eventstore.event_log import Head
from nats.js import JetStreamContext
from nats.js.api import StreamConfig
from nats.js.errors import NotFoundError

from messaging.headers import MessageMalformed, Origin, origin_of
from messaging.names import stream_name
from messaging.streams import starts_after
from messaging.stuck import Reason, Stuck


@dataclass(frozen=True, slots=True)
class StreamTail:
    """The last sequence a stream gave out, and what its last message that is there says.

    `origin` is None when no message is there, or the last is none of ours (`is_foreign`).
    `created` tells a stream from another one that was made in its place.
    """

    last_sequence: int
    message_sequence: int
    origin: Origin | None
    is_foreign: bool
    config: StreamConfig
    created: datetime | None = None


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
        return StreamTail(last, 0, None, False, info.config, info.created)
    sequence = message.seq or 0
    # What was published since the first look counts as seen.
    last = max(last, sequence)
    try:
        origin = origin_of(message.headers or {})
    except MessageMalformed:
        return StreamTail(last, sequence, None, True, info.config, info.created)
    is_foreign = origin.source != service
    return StreamTail(
        last, sequence, None if is_foreign else origin, is_foreign, info.config, info.created
    )


async def tail_if_any(js: JetStreamContext, service: str) -> StreamTail | None:
    """Look at the end of a service's stream, None when there is no stream. Raises Stuck."""
    try:
        return await read_tail(js, service)
    except Stuck as stuck:
        if stuck.reason is Reason.NOT_PROVISIONED:
            return None
        raise


async def require_same(js: JetStreamContext, service: str, tail: StreamTail, landed: int) -> None:
    """Raise Stuck when the stream is another than at the look at its tail, or lost its end.

    A server may forget what it acknowledged when it ends; until the next event nobody else would
    notice. `landed` is the last sequence that it acknowledged.
    """
    name = stream_name(service)
    try:
        info = await js.stream_info(name)
    except NotFoundError as error:
        raise Stuck(Reason.NOT_PROVISIONED, name) from error
    if info.created != tail.created:
        raise Stuck(Reason.STREAM_LOST, "made anew")
    if info.state.last_seq < landed:
        raise Stuck(Reason.STREAM_LOST, "its end is gone")


def resume_after(tail: StreamTail, checkpoint: int, head: Head) -> Resumption:
    """Decide where publishing goes on: after the stream's last event, whatever the checkpoint says.

    The checkpoint counts only when the stream's last message is gone (expired, or deleted by
    somebody who may), for it then knows more than the stream. A stream that never held a message
    begins where it was made to. Raises Stuck when stream and log do not belong together.
    """
    if tail.is_foreign:
        raise Stuck(Reason.STREAM_FOREIGN)
    position = min(starts_after(tail.config), head.position) if tail.last_sequence == 0 else 0
    if tail.origin is not None:
        if tail.origin.epoch != head.epoch:
            raise Stuck(Reason.OTHER_EPOCH)
        if tail.origin.position > head.position:
            raise Stuck(Reason.STREAM_AHEAD)
        position = tail.origin.position
    if tail.message_sequence < tail.last_sequence:
        position = max(position, checkpoint)
    return Resumption(position, tail.last_sequence)
