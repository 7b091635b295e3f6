"""Appends facts that no state decides, each alone."""

from eventstore.event_log import EventLog, Write
from eventstore.execute import Request
from eventstore.expected_revision import ExpectedRevision
from eventstore.stream_id import StreamId
from google.protobuf.message import Message

from runtime.event_codec import LogCodec


class EventRecorder:
    """Appends to a service's own log."""

    def __init__(self, log: EventLog, codec: LogCodec) -> None:
        self._log = log
        self._codec = codec

    async def append(
        self, stream: StreamId, event: Message, request: Request, *, expected: ExpectedRevision
    ) -> int:
        """Append an event, sealed under its tenant's key, and give its position.

        The same request appends once. Raises what the log and the keyring raise.
        """
        encoded = await self._codec.encode(
            stream,
            f"tenants/{stream.tenant}",
            [request.ids(0)],
            [event],
            request.metadata,
            request.digest,
        )
        return (await self._log.append(Write(stream, expected, encoded))).position
