"""`python -m eventstore.testing.oracle --dsn postgresql://user@host/database --seconds 10`."""

import argparse
import asyncio
import sys

from sqlalchemy import make_url

from eventstore.testing.oracle import Faults, run_oracle


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="eventstore.testing.oracle", description="Prove an event log on a PostgreSQL server."
    )
    parser.add_argument("--dsn", required=True, help="without a password: put it in ~/.pgpass")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--writers", type=int, default=6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kill", action="store_true", help="kill writers and their connections")
    options = parser.parse_args()
    url = make_url(options.dsn).set(drivername="postgresql+asyncpg")
    if url.password is not None:
        parser.error("a password on the command line is seen by everybody: put it in ~/.pgpass")
    report = asyncio.run(
        run_oracle(
            url.render_as_string(),
            seconds=options.seconds,
            writers=options.writers,
            faults=Faults(kills=options.kill, terminations=options.kill),
            seed=options.seed,
        )
    )
    sys.stdout.write(report.text())
    return 0 if report.passed else 1


if __name__ == "__main__":
    sys.exit(main())
