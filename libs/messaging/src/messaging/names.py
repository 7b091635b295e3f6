"""Names on NATS: streams, subjects, durable consumers, inboxes."""

import re
from dataclasses import dataclass

_SERVICE = re.compile(r"[a-z][a-z0-9_]{0,31}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class NameInvalid(ValueError):
    """A name would not be one token of a subject."""


@dataclass(frozen=True, slots=True, order=True)
class Consumption:
    """`service` consumes the events of `source` for one `purpose`, with a position of its own."""

    service: str
    source: str
    purpose: str

    def __post_init__(self) -> None:
        for name in (self.service, self.source, self.purpose):
            _service(name)

    @property
    def stream(self) -> str:
        return stream_name(self.source)

    @property
    def durable(self) -> str:
        return f"{self.service}_{self.purpose}"


def stream_name(service: str) -> str:
    """Return the name of a service's stream, as "CARELINE_CONVERSATIONS"."""
    return f"CARELINE_{_service(service).upper()}"


def stream_subjects(service: str) -> str:
    """Return the subjects of a service's stream, over all tenants."""
    return f"careline.*.{_service(service)}.>"


def event_subject(service: str, tenant: str, aggregate_id: str, event_type: str) -> str:
    """Return `careline.<tenant>.<service>.<aggregate id>.<Event>`.

    `event_type` is the proto full name; its last segment is the Event. Raises NameInvalid when a
    part is no single token, so that no value can widen a subject.
    """
    event = event_type.rpartition(".")[2]
    for token in (tenant, aggregate_id, event):
        if not _TOKEN.fullmatch(token):
            raise NameInvalid("tenant, aggregate id and event must each be one subject token")
    return f"careline.{tenant}.{_service(service)}.{aggregate_id}.{event}"


def inbox_prefix(user: str) -> str:
    """Return the prefix under which alone a user receives answers, so that none reads another's."""
    if not _TOKEN.fullmatch(user):
        raise NameInvalid("a user's name must be one subject token")
    return f"_INBOX_{user}"


def _service(name: str) -> str:
    if not _SERVICE.fullmatch(name):
        raise NameInvalid("a service or purpose is lower-case letters, digits and underscores")
    return name
