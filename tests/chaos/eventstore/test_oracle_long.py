"""A minute of the concurrency oracle: killed writers, ended connections, a crashing server."""

import sys

import pytest
from chaos.eventstore.restartable import Restartable
from eventstore.testing.oracle import Faults, run_oracle


@pytest.mark.long
@pytest.mark.timeout(400)
async def test_a_minute_of_kills_and_crashes_loses_doubles_and_reorders_nothing(
    server: Restartable,
) -> None:
    report = await run_oracle(
        server.url.render_as_string(hide_password=False),
        seconds=60,
        faults=Faults(kills=True, terminations=True, restart=server.restart),
    )
    sys.stdout.write(report.text())

    assert report.passed, report.text()
    assert report.faults["server restarts"] == 2
    assert report.faults["writers killed"] > 5
    assert report.faults["connections ended"] > 5
