"""Finishes erasures that were requested and that nobody finished."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from runtime.incident import type_name

from patient_context.application.erasures import Erasures, PendingErasure

_log = logging.getLogger(__name__)


class UnfinishedErasures:
    """Looks every few seconds as long as `run` runs; any number of processes may.

    `pending` gives erasures that are older than a call takes.
    """

    def __init__(
        self,
        erasures: Erasures,
        pending: Callable[[], Awaitable[Sequence[PendingErasure]]],
        *,
        look_every: float,
    ) -> None:
        self._erasures = erasures
        self._pending = pending
        self._look_every = look_every

    async def run(self) -> None:
        """Finish without end."""
        while True:
            try:
                for one in await self._pending():
                    await self._finish(one)
            # A database that is away must not end the service; the next look finds the same.
            except Exception as error:  # noqa: BLE001
                _log.warning("unfinished erasures wait", extra={"error": type_name(error)})
            await asyncio.sleep(self._look_every)

    async def _finish(self, pending: PendingErasure) -> None:
        try:
            await self._erasures.finish(pending)
        # One that can not be finished now must not hold up the others.
        except Exception as error:  # noqa: BLE001
            _log.error(
                "an erasure is not finished",
                extra={"stream": pending.patient, "error": type_name(error)},
            )
