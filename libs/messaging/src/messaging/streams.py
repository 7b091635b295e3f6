"""Makes the streams and durable consumers, once, by a provisioner; says where they drifted."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from nats.js import JetStreamContext
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    DiscardPolicy,
    ReplayPolicy,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import BadRequestError, NotFoundError

from messaging.names import Consumption, stream_name, stream_subjects

_NAME_IN_USE = 10058
_STARTS_AFTER = "careline-starts-after"


@dataclass(frozen=True, slots=True)
class StreamLimits:
    """How much a stream keeps. The log is the truth: what a stream lost is filled from there.

    A full stream refuses more, and the relay waits. `max_age` lets old events go.
    """

    max_bytes: int = 1 << 30
    max_age: timedelta = timedelta(days=7)
    duplicate_window: timedelta = timedelta(minutes=2)
    replicas: int = 1


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a durable consumer delivers: how much unacknowledged, and after how long again."""

    max_ack_pending: int = 4096
    ack_wait: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Drift:
    """A stream or consumer is not as it should be; only an operator may change it."""

    name: str
    field: str
    wanted: str
    actual: str


def starts_after(config: StreamConfig) -> int:
    """Return the position after which the log goes into a stream; what is before is in the log."""
    return int((config.metadata or {}).get(_STARTS_AFTER, "0"))


async def make_stream_anew(
    js: JetStreamContext, config: StreamConfig, consumptions: Iterable[Consumption], after: int
) -> None:
    """Delete a stream, unless it is gone, and make it empty, to begin after a position of the log.

    Its durable consumers go with it and are made anew: the positions that count are those in their
    services' databases. Again, after a failure on the way, is as good as once.
    """
    name = str(config.name)
    with suppress(NotFoundError):
        await js.delete_stream(name)
    await js.add_stream(config.evolve(metadata={_STARTS_AFTER: str(after)}))
    for consumption in consumptions:
        await ensure_consumer(js, consumption)


async def stream_config(
    js: JetStreamContext, service: str, limits: StreamLimits | None = None
) -> StreamConfig:
    """Return how a stream is made, or how it would be where there is none."""
    try:
        return (await js.stream_info(stream_name(service))).config
    except NotFoundError:
        return _stream_config(service, limits or StreamLimits())


async def ensure_stream(
    js: JetStreamContext, service: str, limits: StreamLimits | None = None
) -> tuple[Drift, ...]:
    """Make the stream of a service unless it is there, and return in what it differs."""
    wanted = _stream_config(service, limits or StreamLimits())
    name = stream_name(service)
    try:
        actual = (await js.stream_info(name)).config
    except NotFoundError:
        try:
            actual = (await js.add_stream(wanted)).config
        except BadRequestError as error:
            if error.err_code != _NAME_IN_USE:
                raise
            actual = (await js.stream_info(name)).config
    return _drifts(name, wanted, actual)


async def ensure_consumer(
    js: JetStreamContext, consumption: Consumption, delivery: Delivery | None = None
) -> tuple[Drift, ...]:
    """Make a durable consumer unless it is there, and return in what it differs."""
    wanted = _consumer_config(consumption, delivery or Delivery())
    name = f"{consumption.stream}.{consumption.durable}"
    try:
        actual = (await js.consumer_info(consumption.stream, consumption.durable)).config
    except NotFoundError:
        actual = (await js.add_consumer(consumption.stream, wanted)).config
    return _drifts(name, wanted, actual)


async def provision(
    js: JetStreamContext,
    services: Iterable[str],
    consumptions: Iterable[Consumption],
    limits: StreamLimits | None = None,
) -> tuple[Drift, ...]:
    """Make all that is missing. Idempotent; run before the services that use it start."""
    drifts: list[Drift] = []
    for service in services:
        drifts += await ensure_stream(js, service, limits)
    for consumption in consumptions:
        drifts += await ensure_consumer(js, consumption)
    return tuple(drifts)


def _stream_config(service: str, limits: StreamLimits) -> StreamConfig:
    return StreamConfig(
        name=stream_name(service),
        subjects=[stream_subjects(service)],
        storage=StorageType.FILE,
        retention=RetentionPolicy.LIMITS,
        discard=DiscardPolicy.NEW,
        max_bytes=limits.max_bytes,
        max_age=limits.max_age.total_seconds(),
        duplicate_window=limits.duplicate_window.total_seconds(),
        num_replicas=limits.replicas,
        deny_delete=True,
        deny_purge=True,
        allow_atomic=True,
    )


def _consumer_config(consumption: Consumption, delivery: Delivery) -> ConsumerConfig:
    return ConsumerConfig(
        name=consumption.durable,
        durable_name=consumption.durable,
        deliver_policy=DeliverPolicy.ALL,
        replay_policy=ReplayPolicy.INSTANT,
        # One acknowledgement covers all before it, as a position does.
        ack_policy=AckPolicy.ALL,
        ack_wait=delivery.ack_wait.total_seconds(),
        max_ack_pending=delivery.max_ack_pending,
        max_deliver=-1,
    )


def _drifts(
    name: str, wanted: StreamConfig | ConsumerConfig, actual: StreamConfig | ConsumerConfig
) -> tuple[Drift, ...]:
    differing = (
        (field, value, getattr(actual, field))
        for field, value in vars(wanted).items()
        if value is not None
    )
    return tuple(
        Drift(name, field, str(value), str(found))
        for field, value, found in differing
        if value != found and (value or found)
    )
