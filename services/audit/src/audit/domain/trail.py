"""The trail's entries: one for each event of any service's log, in trails of bounded length."""

from typing import TypeAlias

from careline.audit.events.v1.events_pb2 import ActionRecorded, DisclosureRecorded, Source

Entry: TypeAlias = ActionRecorded | DisclosureRecorded


def trail_of(source: Source) -> str:
    """Name the stream of an entry: one a source and day (UTC), so that no stream grows for ever."""
    day = source.record_time.ToDatetime().date()
    return f"auditTrails/{day.isoformat()}-{source.service}"


def retractions_of(service: str) -> str:
    """Name the stream that tells which entries of a source have no event any more."""
    return f"auditTrails/retractions-{service}"
