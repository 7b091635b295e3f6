"""Work that runs beside a block of code, and does not fail alone."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager

from messaging.cancellation import cancel_until_ended

Work = Callable[[], Coroutine[None, None, None]]


class EndedByItself(RuntimeError):
    """Background work that should run for ever returned."""


@asynccontextmanager
async def beside(*works: Work) -> AsyncIterator[None]:
    """Run works, which never end by themselves, beside the block; they are cancelled at its end.

    When one fails, the block is cancelled and the failure raised in an ExceptionGroup: a process
    whose consumer or renewal has died must not look alive. What the block raises stays as it is.
    """
    failure: Exception | None = None
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_endless(work)) for work in works]
        try:
            yield
        except Exception as error:  # noqa: BLE001  raised below, outside the group's wrapping
            failure = error
        finally:
            await cancel_until_ended(*tasks)
    if failure is not None:
        raise failure


async def _endless(work: Work) -> None:
    await work()
    raise EndedByItself(getattr(work, "__qualname__", type(work).__name__))
