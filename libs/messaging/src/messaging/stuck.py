"""Why a relay or consumer does not move: codes for alerts, and words for who is called."""

from enum import StrEnum


class Reason(StrEnum):
    """What holds it up."""

    NATS_AWAY = "the connection to NATS is lost"
    NATS_SILENT = "the connection stands, but the server is not heard"
    DELIVERY_STALLED = "the stream has events that the consumer does not deliver"
    NOT_PROVISIONED = "the stream or consumer does not exist: provision it"
    PERMISSION_DENIED = "NATS denied what is needed: compare the user's permissions"
    STREAM_FULL = "the stream takes no more: raise its limits or let old events expire"
    STREAM_FOREIGN = "the stream's last message is no event of this service: see who publishes"
    STREAM_AHEAD = "the stream is ahead of a restored log: run careline streams rebuild"
    OTHER_EPOCH = (
        "the log was restored, the stream is of another epoch: run careline streams rebuild"
    )
    PUBLISH_REFUSED = "the stream refused an event"
    PUBLISH_UNANSWERED = "the stream does not acknowledge: is its disk full?"
    STREAM_LOST = "the stream lost what it had acknowledged: it is published again from the log"
    RELAY_STALLED = "nobody publishes: see why the service's relay is stuck"
    SEQUENCE_MOVED = "somebody else published meanwhile"
    GAP = "events are missing and the source's log could not be read"
    FORKED = "an event follows one that this consumer never saw: positions contradict each other"
    RETRACTION_NEEDED = "the source's log was restored and lost events that this consumer handled"
    HANDLER_FAILING = "the handler fails and is tried again"
    HELD_BY_EVENT = "the handler gave up on an event, and this consumer goes past none"
    RETRY_LATER = "the handler waits for something it needs"
    DATABASE_AWAY = "the database does not answer"
    FAILED = "it failed and is tried again"


class Stuck(Exception):
    """Work cannot go on for a reason.

    `detail` is a code, a type's name or a subject, never a value; `log_fields` are both for a log.
    """

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.name}: {reason.value}" + (f" ({detail})" if detail else ""))
        self.reason = reason
        self.detail = detail

    @property
    def log_fields(self) -> dict[str, str]:
        return {"reason": self.reason.name, "detail": self.detail}
