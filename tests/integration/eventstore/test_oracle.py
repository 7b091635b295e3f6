"""Short runs of the concurrency oracle; the long one is in tests/chaos."""

import asyncio
import os
import sys
from pathlib import Path

import pytest
from embedded.postgres import PostgresServer
from eventstore.testing.oracle import run_oracle
from eventstore.testing.oracle.__main__ import main
from sqlalchemy import URL, make_url


@pytest.mark.timeout(240)
async def test_writers_with_delays_and_rollbacks_lose_double_and_reorder_nothing(
    postgres: PostgresServer,
) -> None:
    url = make_url(postgres.dsn()).set(drivername="postgresql+asyncpg")

    report = await run_oracle(url.render_as_string(hide_password=False), seconds=6, seed=1)

    assert report.passed, report.text()
    assert report.answers["landed"] > 0
    assert report.answers["rolled back"] > 0


@pytest.mark.timeout(240)
async def test_the_oracle_runs_as_a_command_and_kills_writers_when_told_to(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = make_url(postgres.dsn())
    password_file = tmp_path / "pgpass"
    password_file.write_text(f"*:*:*:*:{url.password}\n")
    password_file.chmod(0o600)
    dsn = URL.create("postgresql", url.username, database=url.database, query=url.query)

    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "eventstore.testing.oracle", "--kill"),
        *("--dsn", dsn.render_as_string(), "--seconds", "5", "--seed", "2"),
        env={**os.environ, "PGPASSFILE": str(password_file)},
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()

    report = output.decode()
    assert process.returncode == 0, report
    assert "violations: none" in report
    assert "writers killed" in report
    assert report.endswith("passed\n")


def test_a_password_on_the_command_line_is_refused(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["oracle", "--dsn", "postgresql://me:made-up@host/db"])

    with pytest.raises(SystemExit):
        main()

    refusal = capsys.readouterr().err
    assert "pgpass" in refusal
    assert "made-up" not in refusal
