"""No answer tells by its time what failed: the work is alike, and what differs is rounded away."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from conftest import CreateDatabase
from integration.identity.neighbours import person
from integration.identity.rig import DEMO, PASSWORD, Rig, identity_rig
from integration.identity.test_caller_verification import record_number, start, submit
from integration.refusals import refusal
from integration.runtime.vault_rig import VaultRig

STEP = 0.4
GAP = 0.02


@pytest.fixture(scope="module")
async def even(
    create_database: CreateDatabase, vault: VaultRig, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Rig]:
    folder = tmp_path_factory.mktemp("even")
    async with (
        create_database() as database,
        identity_rig(database, vault, folder, even_answer_seconds=STEP) as made,
    ):
        yield made


async def seconds(call: Awaitable[Any]) -> float:
    loop = asyncio.get_running_loop()
    begun = loop.time()
    await call
    return loop.time() - begun


async def quickest(rounds: int, **calls: Callable[[], Awaitable[float]]) -> dict[str, float]:
    """Give the least time of each call: what else the machine does only ever adds to it."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            times[name].append(await call())
    return {name: min(taken) for name, taken in times.items()}


def family_name(number: int) -> str:
    """Give a name of its own to each: names are letters."""
    return "Ordóñez" + "abcdefghij"[number // 10] + "abcdefghij"[number % 10]


async def test_the_work_on_identifiers_is_alike_whatever_failed(rig: Rig) -> None:
    """One caller means one record here; how several that come close are hidden: see below."""
    frontend = await rig.frontend()
    names = [
        await rig.patients.register(
            DEMO, person("José", family_name(each), record_number=f"MRN77000{each:02d}")
        )
        for each in range(40)
    ]
    await rig.known(names[-1])
    left = iter(range(40))

    def failing(**wrong: str) -> Callable[[], Awaitable[float]]:
        async def call() -> float:
            begun, each = await start(frontend), next(left)
            said = {"full_name": f"jose {family_name(each)}", **wrong}
            return await seconds(submit(frontend, begun.name, f"MRN77000{each:02d}", **said))

        return call

    taken = await quickest(
        10,
        name=failing(full_name="jose garcia"),
        birth_date=failing(birth_date="1972-03-04"),
        third=failing(medical_record_number="MRN0000000"),
        nobody=failing(full_name="eve", birth_date="1950-01-01", medical_record_number="MRN0"),
    )

    assert max(taken.values()) - min(taken.values()) < GAP, taken


async def test_answers_to_identifiers_leave_at_the_same_time(even: Rig) -> None:
    """Also when a set comes close to many, on all of whom it is counted: sixteen namesakes."""
    frontend = await even.frontend()
    number = record_number()
    for each in range(16):
        await even.patients.register(
            DEMO, person("Ann", "Lee", birth_date="1990-05-05", record_number=f"MRN88000{each:02d}")
        )
    name = await even.patients.register(DEMO, person("José", "Ordóñez", record_number=number))
    await even.known(name)

    async def taken(**wrong: str) -> float:
        begun = await start(frontend)
        return await seconds(submit(frontend, begun.name, number, **wrong))

    times = [
        await taken(full_name="jose garcia"),
        await taken(full_name="ann lee", birth_date="1990-05-05"),
        await taken(full_name="eve", birth_date="1950-01-01", medical_record_number="MRN0"),
        await taken(),
    ]

    assert min(times) >= STEP * 0.98
    assert max(times) - min(times) < STEP / 2


async def test_refused_sign_ins_leave_at_the_same_time(even: Rig) -> None:
    agent = await even.new_agent()
    times = [
        await seconds(refusal(even.sign_in(agent.user_name, "wrong kettle anvil"))),
        await seconds(refusal(even.sign_in("nobody-of-that-name", PASSWORD))),
        await seconds(refusal(even.sign_in("somebody", PASSWORD, tenant="made-up"))),
    ]
    for _ in range(4):
        await refusal(even.sign_in(agent.user_name, "wrong kettle anvil"))
    times.append(await seconds(refusal(even.sign_in(agent.user_name, agent.password))))

    assert min(times) >= STEP * 0.98
    assert max(times) - min(times) < STEP / 2
    even.clock.advance(timedelta(minutes=15))
    assert (await even.sign_in(agent.user_name, agent.password)).session_token
