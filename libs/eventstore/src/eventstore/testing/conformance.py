"""What every event log must do, as tests: subclass `EventLogConformance` and give its fixtures."""

from eventstore.testing.conformance_append import AppendConformance
from eventstore.testing.conformance_reads import ReadConformance
from eventstore.testing.conformance_repeats import RepeatConformance
from eventstore.testing.conformance_subscribe import SubscribeConformance


class EventLogConformance(
    AppendConformance, RepeatConformance, ReadConformance, SubscribeConformance
):
    """All that every log must pass, with pytest and pytest-asyncio in automatic mode.

    A subclass gives the fixtures `log`, a log of its own for each test, and `rival`, another log
    object on the same store (for a log that lives in one process: the same object). A log that
    keeps projections passes `ProjectionConformance` as well.
    """
