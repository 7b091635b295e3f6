from dataclasses import dataclass

from eventstore.projection import ProjectionStatus
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from runtime.telemetry.projection_metrics import observe_projections


@dataclass(frozen=True)
class Runner:
    kept: ProjectionStatus

    def status(self) -> ProjectionStatus:
        return self.kept


def test_a_projection_that_is_added_later_shows_its_lag_and_that_it_is_stuck() -> None:
    reader = InMemoryMetricReader()
    meters = MeterProvider([reader])
    runners: list[Runner] = []
    observe_projections(meters.get_meter("test"), "routing", runners)
    runners.append(
        Runner(
            ProjectionStatus("board", 2, position=70, head=100, lag_seconds=1.5, stuck="TypeError")
        )
    )

    data = reader.get_metrics_data()

    meters.shutdown()
    assert data is not None
    points = {
        metric.name: point.value
        for metric in data.resource_metrics[0].scope_metrics[0].metrics
        for point in metric.data.data_points
        if isinstance(point, NumberDataPoint)
        and point.attributes == {"service": "routing", "projection": "board", "version": "2"}
    }
    assert points == {
        "careline.projection.lag": 30,
        "careline.projection.lag.duration": 1.5,
        "careline.projection.stuck": 1,
    }
