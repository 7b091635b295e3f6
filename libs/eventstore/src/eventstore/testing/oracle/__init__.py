"""The concurrency oracle: many writers, delays, rollbacks, kills; a reader that must be exact.

Six writer processes append to a few hot streams, some in transactions that they hold open and
sometimes roll back. A follower in a process of its own must see every event once and in order;
a second one, without the fence, must be seen to lose some: or else the run proves nothing.
"""

from eventstore.testing.oracle.report import Report
from eventstore.testing.oracle.run import Faults, run_oracle

__all__ = ["Faults", "Report", "run_oracle"]
