"""Waits until every stream of JetStream equals its log, by `careline streams verify`."""

import asyncio
import json
import time
from typing import Any, Final

from runtime.service_names import SERVICES

from careline_cli.console import Say
from careline_cli.drill.platform_commands import PlatformCommands, StepFailed

_TRIES: Final = 3
_STALLED_SECONDS: Final = 120.0
_PAUSE_SECONDS: Final = 1.0
_SHOWN_EVERY_SECONDS: Final = 10.0


async def streams_that_differ(commands: PlatformCommands, say: Say) -> tuple[str, ...]:
    """Name the services whose stream is at fault, or does not come to its log's head.

    A fault counts when it is found three times, as one that a relay is about to mend is not; a
    stream that only is behind is waited for as long as it moves, and how far it is is said.
    """
    faults, reached, moved_at = 0, -1, time.monotonic()
    shown_at = moved_at
    while True:
        checks = await _checks(commands)
        faulty = tuple(one for one in SERVICES if not checks[one]["ok"])
        behind = tuple(one for one in SERVICES if _end(checks[one]) < checks[one]["head"])
        faults += bool(faulty)
        now = sum(map(_end, checks.values()))
        if now != reached:
            reached, moved_at = now, time.monotonic()
        if faults == _TRIES or time.monotonic() - moved_at > _STALLED_SECONDS:
            return tuple(one for one in SERVICES if one in faulty + behind)
        if not faulty and not behind:
            return ()
        if time.monotonic() - shown_at >= _SHOWN_EVERY_SECONDS:
            shown_at = time.monotonic()
            for one in behind:
                say(f"{one}: {_end(checks[one])} of {checks[one]['head']} in its stream")
        await asyncio.sleep(_PAUSE_SECONDS)


async def _checks(commands: PlatformCommands) -> dict[str, dict[str, Any]]:
    _, out, said = await commands.attempt("streams", "verify", "--json")
    if not out:
        raise StepFailed(f"careline streams verify: {said}")
    return {one["service"]: one for one in json.loads(out)["streams"]}


def _end(check: dict[str, Any]) -> int:
    return int(check["stream"]["last_position"])
