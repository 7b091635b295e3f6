"""How long and how many keys are held."""

import asyncio
from uuid import UUID, uuid4

import pytest
from sealing.keyring.aging_cache import AgingCache
from sealing.keyring.data_key import DataKey
from sealing.keyring.key_cache import KeyCache
from sealing.keyring.single_flight import SingleFlight


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def key(subject: str, key_id: UUID | None = None) -> DataKey:
    return DataKey.take(key_id or uuid4(), "demo", subject, bytearray(32))


def test_an_entry_goes_at_its_age_however_often_it_was_used() -> None:
    clock = Clock()
    gone: list[str] = []
    cache = AgingCache[int, str](limit=10, max_age=60, clock=clock, dropped=gone.append)
    cache.put(1, "one")
    clock.now += 30
    cache.put(2, "two")
    clock.now += 29
    assert cache.get(1) == "one"

    clock.now += 1

    assert cache.get(1) is None
    assert cache.get(2) == "two"
    assert gone == ["one"]


def test_what_has_aged_goes_although_nobody_asks_for_it() -> None:
    clock = Clock()
    cache = AgingCache[int, str](limit=10, max_age=60, clock=clock)
    cache.put(1, "one")
    clock.now += 61

    cache.get(2)

    assert len(cache) == 0


def test_beyond_the_limit_the_oldest_goes() -> None:
    gone: list[int] = []
    cache = AgingCache[int, int](limit=3, max_age=60, clock=Clock(), dropped=gone.append)

    for number in range(10):
        cache.put(number, number)

    assert len(cache) == 3
    assert gone == list(range(7))
    assert [cache.get(number) for number in (6, 7, 9)] == [None, 7, 9]


def test_putting_again_makes_an_entry_young_and_drops_the_old_value() -> None:
    clock = Clock()
    gone: list[str] = []
    cache = AgingCache[int, str](limit=2, max_age=60, clock=clock, dropped=gone.append)
    cache.put(1, "old")
    cache.put(2, "two")
    clock.now += 40

    cache.put(1, "new")
    clock.now += 40

    assert cache.get(1) == "new"
    assert gone == ["old", "two"]


def test_a_key_is_found_by_subject_and_by_id_and_forgotten_by_both() -> None:
    cache = KeyCache(limit=10, max_age=60, clock=Clock())
    held = key("patients/1")
    cache.put(held, forgotten=cache.forgotten)
    assert cache.by_subject("demo", "patients/1") is held
    assert cache.by_id("demo", held.id) is held
    assert cache.by_id("other", held.id) is None
    assert cache.by_subject("other", "patients/1") is None

    cache.forget("demo", ["patients/1", "patients/2"])

    assert cache.by_subject("demo", "patients/1") is None
    assert cache.by_id("demo", held.id) is None
    assert len(cache) == 0


def test_both_ways_to_a_key_end_with_it() -> None:
    clock = Clock()
    cache = KeyCache(limit=2, max_age=60, clock=clock)
    keys = [key(f"patients/{number}") for number in range(3)]

    for each in keys:
        cache.put(each, forgotten=cache.forgotten)

    assert cache.by_id("demo", keys[0].id) is None
    assert cache.by_id("demo", keys[1].id) is keys[1]
    clock.now += 60
    assert cache.by_id("demo", keys[1].id) is None
    assert cache._subject_of == {}


def test_the_same_key_put_twice_stays_found_by_id() -> None:
    cache = KeyCache(limit=2, max_age=60, clock=Clock())
    key_id = uuid4()

    cache.put(key("patients/1", key_id), forgotten=0)
    cache.put(key("patients/1", key_id), forgotten=0)

    assert cache.by_id("demo", key_id) is not None
    assert len(cache) == 1


def test_a_key_that_was_being_loaded_while_something_was_forgotten_is_not_held() -> None:
    cache = KeyCache(limit=10, max_age=60, clock=Clock())
    begun = cache.forgotten
    cache.forget("demo", ["patients/1"])

    cache.put(key("patients/1"), forgotten=begun)

    assert cache.by_subject("demo", "patients/1") is None


async def test_work_under_way_is_shared_and_done_again_afterwards() -> None:
    flights: SingleFlight[str, int] = SingleFlight()
    started = 0
    go = asyncio.Event()

    async def work() -> int:
        nonlocal started
        started += 1
        await go.wait()
        return started

    waiting = [asyncio.create_task(flights.run("key", work)) for _ in range(50)]
    await asyncio.sleep(0)
    go.set()

    assert await asyncio.gather(*waiting) == [1] * 50
    assert await flights.run("key", work) == 2


async def test_one_who_gives_up_stops_nobody_else() -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    go = asyncio.Event()

    async def work() -> str:
        await go.wait()
        return "done"

    impatient = asyncio.create_task(flights.run("key", work))
    patient = asyncio.create_task(flights.run("key", work))
    await asyncio.sleep(0)
    impatient.cancel()
    with pytest.raises(asyncio.CancelledError):
        await impatient
    go.set()

    assert await patient == "done"


async def test_a_failure_reaches_all_and_is_not_kept() -> None:
    flights: SingleFlight[str, str] = SingleFlight()
    answers: list[str | Exception] = [LookupError("first"), "second"]

    async def work() -> str:
        await asyncio.sleep(0)
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    failed = await asyncio.gather(
        *(flights.run("key", work) for _ in range(5)), return_exceptions=True
    )

    assert [type(failure) for failure in failed] == [LookupError] * 5
    assert await flights.run("key", work) == "second"


async def test_closing_ends_what_is_under_way() -> None:
    flights: SingleFlight[str, bool] = SingleFlight()
    waiting = asyncio.create_task(flights.run("key", asyncio.Event().wait))
    await asyncio.sleep(0)

    await flights.close()

    with pytest.raises(asyncio.CancelledError):
        await waiting
