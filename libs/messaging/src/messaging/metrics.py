"""Gauges of how far relay and consumers are behind, and what holds them up."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from opentelemetry.metrics import CallbackOptions, Meter, Observation

from messaging.consumer_status import ConsumerStatus
from messaging.relay_status import RelayStatus


class HasRelayStatus(Protocol):
    """A relay."""

    def status(self) -> RelayStatus: ...


class HasConsumerStatus(Protocol):
    """A consumer."""

    def status(self) -> ConsumerStatus: ...


class MessagingMetrics:
    """Observes relays and consumers whenever the meter is read.

    `*.stuck` is 1 with the reason's code as attribute while something holds it up, else 0. A relay
    or consumer that waits for another process's lock is not behind: that process observes.
    """

    def __init__(
        self,
        meter: Meter,
        relays: Sequence[HasRelayStatus] = (),
        consumers: Sequence[HasConsumerStatus] = (),
    ) -> None:
        self._relays = relays
        self._consumers = consumers
        for name, unit, callback in (
            ("careline.relay.lag", "{position}", self._relay_lag),
            ("careline.relay.lag.duration", "s", self._relay_age),
            ("careline.relay.stuck", "1", self._relay_stuck),
            ("careline.consumer.lag", "{event}", self._consumer_lag),
            ("careline.consumer.lag.duration", "s", self._consumer_age),
            ("careline.consumer.stuck", "1", self._consumer_stuck),
            ("careline.consumer.parked", "{event}", self._consumer_parked),
            ("careline.consumer.filled", "{event}", self._consumer_filled),
        ):
            meter.create_observable_gauge(name, [callback], unit=unit)

    def _relay_lag(self, _options: CallbackOptions) -> Iterable[Observation]:
        for status in self._leading():
            yield Observation(status.lag, {"service": status.service})

    def _relay_age(self, _options: CallbackOptions) -> Iterable[Observation]:
        for status in self._leading():
            yield Observation(status.lag_seconds, {"service": status.service})

    def _relay_stuck(self, _options: CallbackOptions) -> Iterable[Observation]:
        for relay in self._relays:
            status = relay.status()
            yield _stuck(status.stuck, {"service": status.service})

    def _consumer_lag(self, _options: CallbackOptions) -> Iterable[Observation]:
        for status in self._active():
            yield Observation(status.lag, _consumer(status))

    def _consumer_age(self, _options: CallbackOptions) -> Iterable[Observation]:
        for status in self._active():
            yield Observation(status.lag_seconds, _consumer(status))

    def _consumer_stuck(self, _options: CallbackOptions) -> Iterable[Observation]:
        for consumer in self._consumers:
            status = consumer.status()
            yield _stuck(status.stuck, _consumer(status))

    def _consumer_parked(self, _options: CallbackOptions) -> Iterable[Observation]:
        for status in self._active():
            yield Observation(status.parked, _consumer(status))

    def _consumer_filled(self, _options: CallbackOptions) -> Iterable[Observation]:
        for status in self._active():
            yield Observation(status.filled, _consumer(status))

    def _leading(self) -> list[RelayStatus]:
        return [status for relay in self._relays if (status := relay.status()).leading]

    def _active(self) -> list[ConsumerStatus]:
        return [status for one in self._consumers if (status := one.status()).active]


def _consumer(status: ConsumerStatus) -> dict[str, str]:
    return {"consumer": status.consumer, "source": status.source}


def _stuck(reason: str | None, attributes: dict[str, str]) -> Observation:
    if reason is None:
        return Observation(0, attributes)
    return Observation(1, {**attributes, "reason": reason.partition(":")[0]})
