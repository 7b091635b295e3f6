"""Counters of how loads fared with the snapshots of long streams."""

from collections.abc import Callable, Iterable

from eventstore.snapshots import SnapshotCounts
from opentelemetry.metrics import CallbackOptions, Meter, Observation


def observe_snapshots(meter: Meter, service: str, counts: SnapshotCounts) -> None:
    """Observe the counts whenever the meter is read.

    `refused` above 0 says that a snapshot was damaged or of another log; loads read events then.
    """
    for name, count in (
        ("careline.snapshot.used", lambda: counts.used),
        ("careline.snapshot.written", lambda: counts.written),
        ("careline.snapshot.refused", lambda: counts.refused),
        ("careline.snapshot.unavailable", lambda: counts.unavailable),
    ):
        meter.create_observable_counter(name, [_callback(count, service)], unit="{snapshot}")


def _callback(
    count: Callable[[], int], service: str
) -> Callable[[CallbackOptions], Iterable[Observation]]:
    return lambda _options: [Observation(count(), {"service": service})]
