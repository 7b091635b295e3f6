from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from messaging.consumer_position import Place
from messaging.consumer_status import ConsumerProgress
from messaging.denials import Denials, denied_subject
from messaging.headers import from_log
from messaging.metrics import MessagingMetrics
from messaging.names import Consumption
from messaging.outgoing import Run, outgoing
from messaging.relay_status import RelayProgress
from messaging.stuck import Reason, Stuck
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from unit.messaging.test_headers import EVENT

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CONSUMPTION = Consumption("audit", "conversations", "history")


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


def run(position: int, *, seconds_old: int) -> Run:
    event = EVENT._replace(position=position, recorded_at=NOON - timedelta(seconds=seconds_old))
    return Run((outgoing("conversations", 1, event, max_bytes=1 << 20),), 1)


def test_a_relay_is_as_late_as_the_oldest_event_the_stream_has_not_acknowledged() -> None:
    progress = RelayProgress("conversations", Clock())
    progress.resumes(10, 10)
    assert (progress.status().lag, progress.status().lag_seconds) == (0, 0.0)
    progress.saw_head(30)
    first, second = run(20, seconds_old=50), run(30, seconds_old=20)
    progress.sends(first)
    progress.sends(second)
    assert (progress.status().lag, progress.status().lag_seconds) == (20, 50.0)
    progress.confirmed(first)
    assert (progress.status().position, progress.status().lag_seconds) == (20, 50.0)
    progress.confirmed(second)
    assert (progress.status().lag, progress.status().lag_seconds) == (0, 0.0)


def test_a_relay_that_is_held_up_gets_later_and_says_why_until_it_moves() -> None:
    clock = Clock()
    progress = RelayProgress("conversations", clock)
    progress.resumes(10, 10)
    progress.stuck = Stuck(Reason.NATS_AWAY)
    progress.saw_head(11)
    clock.now += timedelta(seconds=30)
    assert progress.status().lag_seconds == 30.0
    assert (progress.status().stuck or "").startswith("NATS_AWAY: ")
    sent = run(11, seconds_old=0)
    progress.sends(sent)
    progress.confirmed(sent)
    assert progress.status().stuck is None


def test_a_consumer_is_as_late_as_the_first_event_it_has_in_hand() -> None:
    clock = Clock()
    progress = ConsumerProgress(CONSUMPTION, clock)
    event = EVENT._replace(recorded_at=NOON - timedelta(seconds=5))
    progress.received(3, 7, from_log("conversations", 1, event))
    assert (progress.status().lag, progress.status().lag_seconds) == (10, 5.0)
    progress.handled(Place(1, 42), 0)
    assert (progress.status().lag, progress.status().lag_seconds) == (0, 0.0)
    progress.stops(Stuck(Reason.GAP, "x"))
    clock.now += timedelta(seconds=9)
    assert progress.status().lag_seconds == 9.0
    assert (progress.status().stuck or "").endswith("(x)")


@pytest.fixture
def reader() -> Iterator[InMemoryMetricReader]:
    in_memory = InMemoryMetricReader()
    yield in_memory
    in_memory.shutdown()


class Fixed:
    def __init__(self, progress: RelayProgress) -> None:
        self.status = progress.status


class FixedConsumer:
    def __init__(self, progress: ConsumerProgress) -> None:
        self.status = progress.status


def test_lags_and_reasons_are_exported_for_those_that_lead(reader: InMemoryMetricReader) -> None:
    relay = RelayProgress("conversations", Clock())
    relay.resumes(1, 4)
    relay.stuck = Stuck(Reason.STREAM_FULL, "10077")
    relay.leading = True
    waiting = ConsumerProgress(CONSUMPTION, Clock())
    provider = MeterProvider([reader], shutdown_on_exit=False)
    metrics = MessagingMetrics(provider.get_meter("test"), [Fixed(relay)], [FixedConsumer(waiting)])
    assert metrics is not None
    data = reader.get_metrics_data()
    assert data is not None
    points = {
        metric.name: [
            (point.value, dict(point.attributes or {}))
            for point in metric.data.data_points
            if isinstance(point, NumberDataPoint)
        ]
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    }
    assert points["careline.relay.lag"] == [(3, {"service": "conversations"})]
    assert points["careline.relay.stuck"] == [
        (1, {"service": "conversations", "reason": "STREAM_FULL"})
    ]
    assert points["careline.consumer.stuck"] == [
        (0, {"consumer": "audit_history", "source": "conversations"})
    ]
    assert "careline.consumer.lag" not in points


@pytest.mark.parametrize(
    ("report", "subject"),
    [
        ('nats: permissions violation for publish to "careline.demo.x"', "careline.demo.x"),
        (
            'nats: \'Permissions Violation for Subscription to "_INBOX.x" using queue "q"\'',
            "_inbox.x",
        ),
        ('nats: permissions violation for publish with reply of "a.b"', "a.b"),
        ("nats: stale connection", None),
    ],
)
def test_a_denial_is_told_from_other_reports(report: str, subject: str | None) -> None:
    assert denied_subject(report) == subject


async def test_a_denial_reaches_those_whom_it_concerns() -> None:
    denials = Denials("_INBOX_routing")
    with denials.watch("$JS.API.STREAM") as concerned, denials.watch("careline.") as other:
        denials.report("$js.api.stream.delete.x")
        assert concerned.result() == "$js.api.stream.delete.x"
        assert not other.done()
        denials.report("_inbox_routing.abc.*")
        assert other.result() == "_inbox_routing.abc.*"
