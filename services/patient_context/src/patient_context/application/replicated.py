"""What must be safe elsewhere, too, and says so where there is no elsewhere."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from eventstore.errors import DurabilityUnavailable
from runtime.refusal import Refused

_log = logging.getLogger(__name__)


@contextmanager
def said_when_replicated_nowhere() -> Iterator[None]:
    """Refuse what can not be made durable with the reason in the metadata, and log what to do."""
    try:
        yield
    except DurabilityUnavailable as error:
        _log.error(
            "consents and erasures are kept on this log's disk and in its stream, and this log has "
            "no stream: run it with messaging"
        )
        raise Refused("DEPENDENCY_UNAVAILABLE", metadata={"dependency": "replication"}) from error
