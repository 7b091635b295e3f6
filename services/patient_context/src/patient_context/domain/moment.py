"""Moments as events have them, and as states and rules do."""

from datetime import UTC, datetime

from google.protobuf.timestamp_pb2 import Timestamp


def stamp(moment: datetime) -> Timestamp:
    stamped = Timestamp()
    stamped.FromDatetime(moment)
    return stamped


def moment(stamped: Timestamp) -> datetime:
    return stamped.ToDatetime(UTC)
