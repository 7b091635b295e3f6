"""What is appended is archived once and in order, whenever the archiver is cut off."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from eventstore.archive.archive_status import ArchiveStatus
from eventstore.archive.archiver import Archiver, SegmentLimits
from eventstore.archive.errors import ArchiveRivalled, ArchiveUnavailable
from eventstore.archive.object_store import ArchiveStore
from eventstore.event import RecordedEvent
from eventstore.memory import MemoryEventLog
from unit.eventstore.archive_rig import CLOSE_AT_ONCE, TAIL_ONLY, ArchiveRig


@pytest.fixture
def rig(tmp_path: Path) -> ArchiveRig:
    return ArchiveRig(tmp_path)


async def in_log(rig: ArchiveRig) -> list[RecordedEvent]:
    return [event async for event in rig.log.read_log()]


async def until_stuck(archiver: Archiver, reason: str) -> ArchiveStatus:
    """Look at the status until it gives the reason; the rig bounds how long."""
    while reason not in ((status := archiver.status()).stuck or ""):  # noqa: ASYNC110 - polled
        await asyncio.sleep(0.001)
    return status


class Cut(Exception):
    """The process ends here."""


async def test_a_tail_has_what_was_appended(rig: ArchiveRig) -> None:
    await rig.archive(3)

    assert await rig.events() == await in_log(rig)
    assert rig.files("*.manifest.json") == []


async def test_a_segment_closes_when_it_is_large_enough(rig: ArchiveRig) -> None:
    await rig.archive(3, CLOSE_AT_ONCE)
    await rig.archive(2, CLOSE_AT_ONCE)
    verified = await rig.verify()

    assert await rig.events() == await in_log(rig)
    assert (verified.segments, verified.events) == (2, 5)
    assert verified.signed_position == verified.position == 5


async def test_a_segment_closes_when_it_is_old_enough_though_nothing_comes(
    rig: ArchiveRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.archive(3)
    closed = asyncio.Event()
    remove = ArchiveStore.remove

    async def last_step(store: ArchiveStore, name: str) -> None:
        await remove(store, name)
        closed.set()

    monkeypatch.setattr(ArchiveStore, "remove", last_step)
    rig.clock = lambda: datetime.now(UTC) + timedelta(hours=1)
    async with rig.archiving(SegmentLimits()):
        await closed.wait()

    assert (await rig.verify()).signed_position == 3
    assert await rig.events() == await in_log(rig)


async def test_an_archiver_goes_on_with_the_tail_that_it_finds(rig: ArchiveRig) -> None:
    for count in (3, 1, 700, 2):
        await rig.archive(count)
    await rig.archive(4, CLOSE_AT_ONCE)

    assert await rig.events() == await in_log(rig)
    assert (await rig.verify()).segments == 1


@pytest.mark.parametrize("method", ["put", "create", "remove"])
@pytest.mark.parametrize("landed", [True, False], ids=["after", "before"])
async def test_nothing_is_doubled_or_lost_by_an_end_at_any_write(
    rig: ArchiveRig, monkeypatch: pytest.MonkeyPatch, method: str, *, landed: bool
) -> None:
    await rig.archive(2)
    for kill in range(1, 8):
        done = getattr(ArchiveStore, method)
        left = kill

        async def cut(store: ArchiveStore, *arguments: object) -> None:
            nonlocal left
            left -= 1
            if left:
                await done(store, *arguments)  # noqa: B023 - used up in this round
                return
            if landed:
                await done(store, *arguments)  # noqa: B023
            raise Cut

        with monkeypatch.context() as patched:
            patched.setattr(ArchiveStore, method, cut)
            await rig.archive(3, CLOSE_AT_ONCE)

    assert await rig.events() == await in_log(rig)
    assert (await rig.verify()).events == 2 + 3 * 7


async def test_a_damaged_tail_is_written_anew_from_the_log(rig: ArchiveRig) -> None:
    await rig.archive(3)
    [tail] = rig.files("tail.zst")
    tail.write_bytes(tail.read_bytes()[:-1])
    await rig.archive(1)

    assert await rig.events() == await in_log(rig)


async def test_a_rival_that_closes_the_same_segment_is_yielded_to(
    rig: ArchiveRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = ArchiveStore.create
    rivalled = []

    async def late(store: ArchiveStore, name: str, data: bytes) -> None:
        try:
            await create(store, name, data)
        except ArchiveRivalled:
            rivalled.append(name)
            raise

    monkeypatch.setattr(ArchiveStore, "create", late)
    position = await rig.append(3)
    async with rig.archiving(CLOSE_AT_ONCE) as one, rig.archiving(CLOSE_AT_ONCE) as two:
        for _ in range(20):
            await one.wait_for(position)
            await two.wait_for(position)
            position = await rig.append(2)
        await one.wait_for(position)

    assert rivalled
    assert await rig.events() == await in_log(rig)


async def test_the_status_tells_position_and_lag_and_why_it_is_stuck(
    rig: ArchiveRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig.archiving() as archiver:
        await archiver.wait_for(await rig.append(2))
        caught_up = archiver.status()

        with monkeypatch.context() as patched:

            async def full(*_: object) -> None:
                raise ArchiveUnavailable("the disk is full")

            patched.setattr(ArchiveStore, "put", full)
            await rig.append(3)
            held = await until_stuck(archiver, "the disk is full")
        await archiver.wait_for(5)

    assert (caught_up.position, caught_up.lag, caught_up.stuck) == (2, 0, None)
    assert caught_up.lag_seconds == 0
    assert (held.position, held.stuck) == (2, "ArchiveUnavailable: the disk is full")
    assert held.lag_seconds > 0
    assert archiver.status().stuck == "not running"
    assert await rig.events() == await in_log(rig)


async def test_without_a_signer_the_tail_goes_on_and_is_closed_later(
    rig: ArchiveRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eventstore.archive.archiver._SIGN_PAUSE_SECONDS", 0.001)
    with monkeypatch.context() as patched:
        patched.setattr(rig.keys, "sign", None)
        await rig.archive(3, CLOSE_AT_ONCE)
        await rig.archive(2, CLOSE_AT_ONCE)
        unsigned = await rig.verify()
    await rig.archive(1, CLOSE_AT_ONCE)

    assert (unsigned.signed_position, unsigned.position) == (0, 5)
    assert (await rig.verify()).signed_position == 6
    assert await rig.events() == await in_log(rig)


@pytest.mark.parametrize("limits", [TAIL_ONLY, CLOSE_AT_ONCE], ids=["tail", "closed"])
@pytest.mark.parametrize(
    ("count", "reason"), [(1, "was it restored"), (3, "two logs"), (50, "two logs")]
)
async def test_the_archive_of_another_log_is_left_alone_and_said_to_be(
    rig: ArchiveRig, limits: SegmentLimits, count: int, reason: str
) -> None:
    await rig.archive(3, limits)
    before = {file: file.read_bytes() for file in rig.files("*")}
    rig.log = MemoryEventLog()
    await rig.append(count)
    async with rig.archiving() as archiver:
        await until_stuck(archiver, reason)

    assert {file: file.read_bytes() for file in rig.files("*")} == before


async def test_a_tail_is_rewritten_as_seldom_as_is_said(
    rig: ArchiveRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    puts = []
    put = ArchiveStore.put

    async def counted(store: ArchiveStore, name: str, data: bytes) -> None:
        puts.append(name)
        await put(store, name, data)

    monkeypatch.setattr(ArchiveStore, "put", counted)
    async with rig.archiving(SegmentLimits(tail_every=0.5)) as archiver:
        await archiver.wait_for(await rig.append(1))
        for _ in range(50):
            await rig.append(1)
            await asyncio.sleep(0)
        await archiver.wait_for(51)

    assert len(puts) < 10  # idle it is 3: at the start, for the first event, for the rest
