"""The streams of logs that are being restored: read for what the archive lacks, then made anew."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Protocol

from messaging.connect import CredentialsRefused, NatsUnavailable
from messaging.denials import PermissionDenied
from messaging.published_tail import PublishedTail
from messaging.stuck import Stuck
from nats.errors import Error as NatsError
from sqlalchemy.ext.asyncio import AsyncEngine

from careline_cli.command_error import CommandError
from careline_cli.streams.access import StreamAccess
from careline_cli.streams.renewal import Renewal, renew


class StreamRefused(CommandError):
    """A stream could not be read or made anew; the text says why."""


class Streams(Protocol):
    """Methods raise what `explained` explains."""

    def tail(self, service: str) -> AbstractAsyncContextManager[PublishedTail]:
        """Open a stream for reading."""

    async def settle(
        self, service: str, archived: Mapping[int, int], engine: AsyncEngine, *, leaves_out: bool
    ) -> Renewal:
        """See what the stream has that the restored log lacks; make it anew, where that is ours."""


class OwnStreams:
    """Those of a platform on this machine; what they alone have is kept in files of a folder."""

    def __init__(self, access: StreamAccess, keep_in: Path) -> None:
        self._access = access
        self._keep_in = keep_in

    @asynccontextmanager
    async def tail(self, service: str) -> AsyncIterator[PublishedTail]:
        async with self._access.to_read(service) as (client, reading):
            yield PublishedTail(client, reading)

    async def settle(
        self, service: str, archived: Mapping[int, int], engine: AsyncEngine, *, leaves_out: bool
    ) -> Renewal:
        del engine  # the access has its own, with the rights of the service
        async with self._access.to_rebuild(service) as upkeep:
            return await renew(upkeep, archived, self._keep_in, leaves_out=leaves_out)


@contextmanager
def explained(service: str) -> Iterator[None]:
    """Turn what an operator can act on into one line."""
    try:
        yield
    except (Stuck, PermissionDenied, NatsUnavailable, CredentialsRefused, NatsError) as error:
        # nats-py's errors may hold an address, ours a reason.
        said = type(error).__name__ if isinstance(error, NatsError) else str(error)
        raise StreamRefused(
            f"the stream of {service} was not read: {said}; mend NATS and run this again, or give "
            "--archive-only"
        ) from None
