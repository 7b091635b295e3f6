"""Between the times of events and Python's."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp


def stamp(at: datetime) -> Timestamp:
    """Write an aware time as events hold it."""
    timestamp = Timestamp()
    timestamp.FromDatetime(at)
    return timestamp


def moment(timestamp: Timestamp) -> datetime:
    """Read an event's time, in UTC."""
    return timestamp.ToDatetime(tzinfo=UTC)
