"""`eventsourcing` (PyPI), used as its documentation says: blocking calls from threads, pooled.

In its default mode an append locks the table until it is committed, which keeps readers' order.
With database functions it takes no lock, and a reader may pass over what commits late.
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from time import perf_counter
from typing import Final

from eventsourcing.persistence import ApplicationRecorder, StoredEvent
from eventsourcing.postgres import PostgresFactory
from eventsourcing.utils import Environment
from eventstore.testing.example_events import new_id
from sqlalchemy import URL

from benchmarks.store.events import TYPE
from benchmarks.store.turns import Turn, undisturbed

NAME: Final = "eventsourcing"

_CONNECTIONS = 40
_PATIENCE_SECONDS = 120


@contextmanager
def recorder(url: URL, name: str, *, functions: bool) -> Iterator[ApplicationRecorder]:
    """Open its recorder on a table of its own; `functions`: without the lock that keeps order."""
    settings = {
        "POSTGRES_DBNAME": url.database or "",
        "POSTGRES_HOST": str(url.query["host"]),
        "POSTGRES_USER": url.username or "",
        "POSTGRES_PASSWORD": url.password or "",
        "POSTGRES_POOL_SIZE": str(_CONNECTIONS),
        "POSTGRES_MAX_OVERFLOW": "0",
        "POSTGRES_POOL_TIMEOUT": str(_PATIENCE_SECONDS),
        "POSTGRES_LOCK_TIMEOUT": str(_PATIENCE_SECONDS),
        "POSTGRES_ENABLE_DB_FUNCTIONS": "y" if functions else "n",
    }
    with PostgresFactory(Environment(name, settings)) as factory:
        yield factory.application_recorder()


def append_with_peer(
    recorder: ApplicationRecorder, data: Sequence[bytes], writers: int, seconds: float
) -> Turn:
    """Append for so long, each writer one event after the other to an aggregate of its own."""
    ready = threading.Barrier(writers + 1)
    ends: list[float] = []
    latencies: list[float] = []

    def write() -> None:
        originator = new_id()
        ready.wait()
        ready.wait()
        version = 0
        while (start := perf_counter()) < ends[0]:
            state = data[version % len(data)]
            recorder.insert_events([StoredEvent(originator, version, TYPE, state)])
            latencies.append(perf_counter() - start)
            version += 1

    with ThreadPoolExecutor(writers) as threads, undisturbed():
        running = [threads.submit(write) for _ in range(writers)]
        ready.wait()
        start = perf_counter()
        ends.append(start + seconds)
        ready.wait()
        for one in running:
            one.result()
        return Turn(len(latencies), perf_counter() - start, latencies)
