"""The streams of identity's aggregates within the caller's tenant."""

from eventstore.stream_id import StreamId
from runtime.request_context import current_request


def stream_of(name: str) -> StreamId:
    """Give the stream of a resource, as "agents/0197..."."""
    return StreamId(current_request().tenant, name)
