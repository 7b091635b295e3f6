"""What a user of the PLATFORM account may publish and read: the least that its work needs.

Streams and consumers are made by a provisioner alone. The right to create a stream is the right to
read all of them (a stream may name any other as its source), and a consumer may name any subject to
deliver to.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from messaging.names import Consumption, inbox_prefix, stream_name

_API = "$JS.API"


@dataclass(frozen=True, slots=True)
class Permissions:
    """Subjects a user may publish to and subscribe to; everything else is refused."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]

    def claims(self) -> dict[str, object]:
        """As a user's JWT has them. No list would allow everything, so an empty one denies it."""
        return {"pub": _rule(self.publish), "sub": _rule(self.subscribe)}


def service_permissions(service: str, consumes: Iterable[Consumption] = ()) -> Permissions:
    """Let a service's relay publish its own events and its consumers read what they consume."""
    stream = stream_name(service)
    publish = [
        f"careline.*.{service}.>",
        f"{_API}.STREAM.INFO.{stream}",
        f"{_API}.STREAM.MSG.GET.{stream}",
    ]
    for consumption in sorted(set(consumes)):
        publish += _consuming(consumption.stream, consumption.durable)
    return Permissions(tuple(dict.fromkeys(publish)), (f"{inbox_prefix(service)}.>",))


def provisioner_permissions(user: str) -> Permissions:
    """Let a user make streams and consumers, but not delete, purge, change or read any."""
    publish = tuple(
        f"{_API}.{verb}"
        for verb in (
            "STREAM.CREATE.*",
            "STREAM.INFO.*",
            "CONSUMER.CREATE.*.*",
            "CONSUMER.INFO.*.*",
        )
    )
    return Permissions(publish, (f"{inbox_prefix(user)}.>",))


def verifier_permissions(user: str, reading: Consumption) -> Permissions:
    """Let a user read one stream, by a consumer of that one name, and change nothing."""
    stream, durable = reading.stream, reading.durable
    publish = (
        f"{_API}.STREAM.INFO.{stream}",
        f"{_API}.STREAM.MSG.GET.{stream}",
        f"{_API}.CONSUMER.CREATE.{stream}.{durable}",
        f"{_API}.CONSUMER.MSG.NEXT.{stream}.{durable}",
        f"{_API}.CONSUMER.DELETE.{stream}.{durable}",
    )
    return Permissions(publish, (f"{inbox_prefix(user)}.>",))


def rebuilder_permissions(
    user: str, reading: Consumption, consumptions: Iterable[Consumption]
) -> Permissions:
    """Let a user also delete that stream, make it and its consumers anew, and publish to it."""
    stream = reading.stream
    verifying = verifier_permissions(user, reading)
    publish = [
        *verifying.publish,
        f"careline.*.{reading.source}.>",
        f"{_API}.STREAM.DELETE.{stream}",
        f"{_API}.STREAM.CREATE.{stream}",
    ]
    for one in sorted(set(consumptions)):
        publish += [f"{_API}.CONSUMER.{verb}.{stream}.{one.durable}" for verb in ("CREATE", "INFO")]
    return Permissions(tuple(publish), verifying.subscribe)


def _consuming(stream: str, durable: str) -> list[str]:
    return [
        f"{_API}.CONSUMER.INFO.{stream}.{durable}",
        f"{_API}.CONSUMER.MSG.NEXT.{stream}.{durable}",
        f"{_API}.CONSUMER.RESET.{stream}.{durable}",
        f"$JS.ACK.{stream}.{durable}.>",
        # Acknowledgements of servers with a domain: $JS.ACK.<domain>.<account hash>.<stream>...
        f"$JS.ACK.*.*.{stream}.{durable}.>",
    ]


def _rule(subjects: tuple[str, ...]) -> dict[str, list[str]]:
    return {"allow": list(subjects)} if subjects else {"deny": [">"]}
