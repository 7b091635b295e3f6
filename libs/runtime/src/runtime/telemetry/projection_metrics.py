"""Gauges of how far projections are behind their log, and what holds them up."""

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from eventstore.projection import ProjectionStatus
from opentelemetry.metrics import CallbackOptions, Meter, Observation


class HasProjectionStatus(Protocol):
    """A projection's runner."""

    def status(self) -> ProjectionStatus: ...


def observe_projections(meter: Meter, service: str, runners: Sequence[HasProjectionStatus]) -> None:
    """Observe the runners, also those added later, whenever the meter is read.

    `careline.projection.stuck` is 1 while something holds a projection up, else 0; the logs have
    the reason.
    """
    for name, unit, value in (
        ("careline.projection.lag", "{position}", lambda status: status.lag),
        ("careline.projection.lag.duration", "s", lambda status: status.lag_seconds),
        ("careline.projection.stuck", "1", lambda status: int(status.stuck is not None)),
    ):
        meter.create_observable_gauge(name, [_callback(service, runners, value)], unit=unit)


def _callback(
    service: str,
    runners: Sequence[HasProjectionStatus],
    value: Callable[[ProjectionStatus], float],
) -> Callable[[CallbackOptions], Iterable[Observation]]:
    def observe(_options: CallbackOptions) -> Iterable[Observation]:
        for runner in runners:
            status = runner.status()
            version = str(status.version)
            attributes = {"service": service, "projection": status.name, "version": version}
            yield Observation(value(status), attributes)

    return observe
