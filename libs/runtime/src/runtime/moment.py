"""The moment that a request asks about."""

from datetime import UTC, datetime

from careline.log.v1 import as_of_pb2 as pb
from eventstore.as_of import AsOf
from eventstore.event_log import EventLog

from runtime.field_checks import moment_of
from runtime.refusal import field_invalid


async def as_of_in(asked: pb.AsOf, log: EventLog) -> AsOf | None:
    """Read a request's field `as_of`; None when it asks about now.

    What has not come yet is refused: the answer could be another one tomorrow. Raises
    FieldsInvalid.
    """
    match asked.WhichOneof("moment"):
        case "position":
            if not 0 <= asked.position <= (await log.head()).position:
                raise field_invalid("as_of.position", "a position from 0 to the log's head")
            return AsOf(position=asked.position)
        case "time":
            time = moment_of(asked.time, "as_of.time")
            if time > datetime.now(UTC):
                raise field_invalid("as_of.time", "a time that has passed")
            return AsOf(time=time)
        case None:
            return None
