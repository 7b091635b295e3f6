from eventstore.snapshots import SnapshotCounts
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from runtime.telemetry.snapshot_metrics import observe_snapshots


def test_each_count_is_observed_under_its_name() -> None:
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader])
    counts = SnapshotCounts(used=1, written=2, refused=3, unavailable=4)
    observe_snapshots(meters.get_meter("test"), "routing", counts)

    data = reader.get_metrics_data()

    assert data is not None
    points = {
        metric.name: point.value
        for metric in data.resource_metrics[0].scope_metrics[0].metrics
        for point in metric.data.data_points
        if isinstance(point, NumberDataPoint) and point.attributes == {"service": "routing"}
    }
    meters.shutdown()
    assert points == {
        "careline.snapshot.used": 1,
        "careline.snapshot.written": 2,
        "careline.snapshot.refused": 3,
        "careline.snapshot.unavailable": 4,
    }
