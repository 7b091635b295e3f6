"""The service stops in the middle of everything and starts again: nothing lost, nothing twice."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import grpc
from careline.conversations.v1 import conversation_service_pb2 as api
from integration.conversations.rig import Client, Ground, Process, process_on
from integration.conversations.steps import (
    BOT,
    SENT,
    WatchEnded,
    bot_says,
    delivering,
    history,
    message,
    report,
    start,
    watching,
)

AWAY = (
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.CANCELLED,
)


@dataclass(slots=True)
class Door:
    """Leads to the process that runs now; callers wait while there is none.

    Channels stay open, as a frontend's do, whose server went away.
    """

    stack: AsyncExitStack
    client: Client | None = None
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def enter(self) -> Client:
        await self.opened.wait()
        assert self.client is not None
        return self.client

    async def lead_to(self, process: Process, caller: Client) -> None:
        self.client = await process.same(caller, self.stack)
        self.opened.set()

    def shut(self) -> None:
        self.opened.clear()


async def post(door: Door, request: api.PostMessageRequest) -> str:
    """Post until it was answered; give the message's name."""
    while True:
        client = await door.enter()
        try:
            return (await client.conversations.PostMessage(request, timeout=10)).message
        except grpc.aio.AioRpcError as error:
            if error.code() not in AWAY:
                raise


async def post_all(door: Door, name: str, texts: list[str]) -> list[str]:
    return [await post(door, message(name, text)) for text in texts]


async def read_all(door: Door, name: str, count: int) -> list[tuple[int, str]]:
    """Watch, and watch on after each interruption, until so many entries were read."""
    read: list[tuple[int, str]] = []
    token = ""
    while len(read) < count:
        client = await door.enter()
        async with watching(client, name, token) as watch:
            try:
                while len(read) < count:
                    read += [(entry.revision, entry.text) for entry in await watch.entries(1)]
                    token = watch.token
            except WatchEnded:
                continue
            except grpc.aio.AioRpcError as error:
                if error.code() not in AWAY:
                    raise
    return read


async def test_writers_and_watchers_go_on_over_restarts(ground: Ground) -> None:
    texts = [f"Line {number}" for number in range(90)]
    async with process_on(ground) as process:
        caller = await process.frontend()
        name = await start(caller)
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
        door = Door(stack)
        writing = group.create_task(post_all(door, name, texts))
        reading = group.create_task(read_all(door, name, len(texts) + 2))
        for reached in (30, 60, len(texts) + 2):
            async with process_on(ground) as process:
                await door.lead_to(process, caller)
                async with watching(await process.same(caller), name) as watch:
                    await watch.entries(reached)
                if reached > len(texts):
                    await asyncio.wait({writing, reading}, timeout=20)
                # Else it stops in the middle of what is being written and read.
                door.shut()
    posted, read = writing.result(), reading.result()

    assert len(set(posted)) == len(texts)
    assert [revision for revision, _ in read] == list(range(len(texts) + 2))
    assert [text for _, text in read if text] == texts


async def test_deliveries_that_were_not_acknowledged_come_again_after_a_restart(
    ground: Ground,
) -> None:
    async with process_on(ground) as process:
        frontend = await process.frontend()
        name = await start(frontend)
        for text in ("One", "Two", "Three"):
            await bot_says(frontend, name, text)
        async with delivering(frontend) as deliveries:
            first, *_ = await deliveries.next(3)
        await frontend.deliveries.AcknowledgeDelivery(report(first.name, SENT))
    async with process_on(ground) as process:
        again = await process.same(frontend)
        async with delivering(again) as deliveries:
            left = await deliveries.next(2)
        lines = await history(again, name)

    assert [delivery.text for delivery in left] == ["Two", "Three"]
    assert len([line for line in lines if line.author_kind == BOT]) == 3
