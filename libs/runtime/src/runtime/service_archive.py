"""A service's archive: one process of the service follows the log into object storage."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Final

from eventstore.archive.archive_status import ArchiveStatus
from eventstore.archive.archiver import Archiver
from eventstore.archive.object_store import ArchiveStore
from eventstore.archive.signing import Signer
from eventstore.backoff import Backoff
from eventstore.event_log import EventLog
from messaging.first_failure import until_one_fails
from messaging.lease import Lease, LeaseLost, open_lease
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from sqlalchemy.ext.asyncio import AsyncEngine

from runtime.incident import type_name

_log = logging.getLogger(__name__)
_BACKOFF: Final = Backoff(first=0.5, longest=15.0)
_CAMPAIGN_SECONDS: Final = 0.5
_CATCH_UP_SECONDS: Final = 3.0


class ServiceArchive:
    """Runs the archiver of a service's log as long as this process holds its lock.

    `engine` gives the lock's connection, one. A service serves on without its archive: the log
    keeps what is to be archived. Gauges of the lag are observed by whoever holds the lock.
    """

    def __init__(
        self, service: str, url: str, log: EventLog, engine: AsyncEngine, signer: Signer
    ) -> None:
        self._service = service
        self._engine = engine
        self._archiver = Archiver(log, service, ArchiveStore(url), signer)
        self._leading = False

    def status(self) -> ArchiveStatus | None:
        """Tell how far the archive is; None while another process archives."""
        return self._archiver.status() if self._leading else None

    def observe(self, meter: Meter) -> None:
        """Export the lag in positions and seconds, and whether the archiver is stuck, and why."""
        for name, unit, callback in (
            ("careline.archive.lag", "{position}", self._lag),
            ("careline.archive.lag.duration", "s", self._age),
            ("careline.archive.stuck", "1", self._stuck),
        ):
            meter.create_observable_gauge(name, [callback], unit=unit)

    async def run(self) -> None:
        """Archive without end, or wait for whoever does."""
        failures = 0
        while True:
            try:
                async with open_lease(self._engine, self._service, "archiver") as lease:
                    await self._campaign(lease)
                    failures = 0
                    self._leading = True
                    await self._lead(lease)
            except LeaseLost as error:
                failures += 1
                _log.warning("the archiver lost its lock", extra={"error": type(error).__name__})
            finally:
                self._leading = False
            await asyncio.sleep(_BACKOFF.after(failures))

    async def _lead(self, lease: Lease) -> None:
        """Archive until the lock is lost; a service that stops leaves nothing of its log behind."""
        try:
            await until_one_fails(lease.watch(), self._archiver.run())
        except asyncio.CancelledError:
            try:
                async with asyncio.timeout(_CATCH_UP_SECONDS):
                    await self._archiver.catch_up()
            # The log has it all, and the next start archives it.
            except Exception as error:  # noqa: BLE001
                _log.warning("the archive stays behind", extra={"error": type_name(error)})
            raise

    async def _campaign(self, lease: Lease) -> None:
        while not await lease.try_take():  # noqa: ASYNC110 - another process holds it
            await asyncio.sleep(_CAMPAIGN_SECONDS)

    def _lag(self, _options: CallbackOptions) -> Iterable[Observation]:
        if (status := self.status()) is not None:
            yield Observation(status.lag, self._attributes)

    def _age(self, _options: CallbackOptions) -> Iterable[Observation]:
        if (status := self.status()) is not None:
            yield Observation(status.lag_seconds, self._attributes)

    def _stuck(self, _options: CallbackOptions) -> Iterable[Observation]:
        if (status := self.status()) is None:
            return
        if status.stuck is None:
            yield Observation(0, self._attributes)
        else:
            code = status.stuck.partition(":")[0]
            yield Observation(1, {**self._attributes, "reason": code})

    @property
    def _attributes(self) -> dict[str, str]:
        return {"service": self._service}
