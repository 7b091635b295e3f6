"""The log in memory keeps the promises it claims."""

import pytest
from eventstore.memory import MemoryEventLog
from eventstore.testing.conformance import EventLogConformance


class TestMemoryEventLog(EventLogConformance):
    @pytest.fixture
    def log(self) -> MemoryEventLog:
        return MemoryEventLog()

    @pytest.fixture
    def rival(self, log: MemoryEventLog) -> MemoryEventLog:
        return log
