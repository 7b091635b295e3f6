"""What a log answers when it does not append or read."""

from uuid import UUID

from eventstore.expected_revision import ExpectedRevision
from eventstore.stream_id import StreamId


class EventLogError(Exception):
    """Any refusal of a log."""


class RevisionConflict(EventLogError):
    """A stream is not at the revision the writer expected; nothing was written.

    `actual` is its last revision, None when there is no such stream.
    """

    def __init__(self, stream: StreamId, expected: ExpectedRevision, actual: int | None) -> None:
        found = "no stream" if actual is None else f"revision {actual}"
        super().__init__(f"expected {expected}, found {found}: read the stream and decide again")
        self.stream = stream
        self.expected = expected
        self.actual = actual


class EventIdReused(EventLogError):
    """An event id is taken by another request, stream or event; nothing was written."""

    def __init__(self, event_id: UUID) -> None:
        super().__init__("an event id was used by another request: take a new request id")
        self.event_id = event_id


class Overloaded(EventLogError):
    """Too much is in flight already; nothing was written: try again later."""


class DurabilityUnavailable(EventLogError):
    """The log cannot give the durability asked for; nothing was written."""


class NotYetReplicated(EventLogError):
    """The append is on the log's disk, but not known to be safe elsewhere in time.

    The same request may be sent again: it is not written twice and waits once more.
    """

    def __init__(self, position: int) -> None:
        super().__init__("appended, but not replicated in time: send the same request again")
        self.position = position


class LogUnavailable(EventLogError):
    """The log's server could not be reached or refused; nothing was written: try again later."""


class LogClosed(EventLogError):
    """The log was closed in this process; nothing was written."""


class OutcomeUnknown(EventLogError):
    """The server was lost before it answered: the append may have landed or not.

    The same request may be sent again with the same event ids: it is not written twice.
    """
