"""Makes the stream of a log that was restored anew, and keeps what the log does not have of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from messaging.left_out import LeftOut
from messaging.published_tail import PublishedTail
from messaging.stream_tail import tail_if_any
from messaging.stream_upkeep import Upkeep, make_anew

from careline_cli.streams.kept_messages import keep_messages


@dataclass(frozen=True, slots=True)
class Renewal:
    """Messages that the log lacks, the lowest position they name, and in which file they are now.

    Not `renewed`: the stream stands as it was, since it alone has them.
    """

    renewed: bool
    left_out: int = 0
    from_position: int = 0
    kept_in: str | None = None


async def renew(
    upkeep: Upkeep, archived: Mapping[int, int], keep_in: Path, *, leaves_out: bool
) -> Renewal:
    """Make the stream anew unless it is; what only it has stays there, or with `leaves_out` is kept
    in a file. Again, after a failure on the way, is as good as once. Raises Stuck.
    """
    if await _is_new(upkeep):
        return Renewal(renewed=True)
    tail = PublishedTail(upkeep.client, upkeep.reading)
    left_out = LeftOut(tail, archived, upkeep.engine, upkeep.schema)
    number, first = await left_out.count()
    if number and not leaves_out:
        return Renewal(False, number, first)
    kept_in = None
    if number:
        epoch = (await upkeep.log.head()).epoch
        file = keep_in / f"{upkeep.service}.before-epoch-{epoch}.jsonl"
        await keep_messages(left_out.messages(), file)
        kept_in = str(file)
    await make_anew(upkeep)
    return Renewal(True, number, first, kept_in)


async def _is_new(upkeep: Upkeep) -> bool:
    """Tell whether the stream ends in the log's own epoch."""
    tail = await tail_if_any(upkeep.client.jetstream(), upkeep.service)
    if tail is None or tail.origin is None:
        return False
    return tail.origin.epoch == (await upkeep.log.head()).epoch
