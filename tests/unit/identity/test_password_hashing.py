"""Argon2id in threads of its own."""

import asyncio
import os

import pytest
from argon2 import PasswordHasher, extract_parameters
from identity.adapters.password_hashing import (
    SALT_BYTES,
    PasswordHashing,
    Profile,
    parameters_of,
)
from runtime.refusal import Refused

PARAMETERS = parameters_of("owasp")


@pytest.mark.parametrize(
    ("profile", "memory", "time", "lanes"),
    [("owasp", 19_456, 2, 1), ("rfc9106_low_memory", 65_536, 3, 4)],
)
async def test_what_is_kept_is_a_hash_that_others_verify(
    profile: Profile, memory: int, time: int, lanes: int
) -> None:
    async with PasswordHashing(parameters_of(profile), threads=1) as hashing:
        kept = await hashing.hash("plover kettle anvil", os.urandom(SALT_BYTES))

    assert PasswordHasher().verify(kept.encoded, "plover kettle anvil")
    costs = extract_parameters(kept.encoded)
    assert (costs.memory_cost, costs.time_cost, costs.parallelism) == (memory, time, lanes)


async def test_a_right_password_is_right_and_any_other_wrong() -> None:
    async with PasswordHashing(PARAMETERS, threads=1) as hashing:
        kept = await hashing.hash("zwölf Boxkämpfer", os.urandom(SALT_BYTES))
        right = await hashing.verify("zwölf Boxkämpfer", kept.encoded)
        wrong = await hashing.verify("zwolf Boxkampfer", kept.encoded)
        nobody = await hashing.verify("zwölf Boxkämpfer", None)

    assert (right.right, wrong.right, nobody.right) == (True, False, False)
    assert right.tag == kept.tag
    assert len({right.tag, wrong.tag, nobody.tag}) == 3


async def test_hashes_of_older_costs_are_still_verified() -> None:
    old = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=2).hash("an old password")
    async with PasswordHashing(PARAMETERS, threads=1) as hashing:
        assert (await hashing.verify("an old password", old)).right


async def test_the_loop_goes_on_while_passwords_are_hashed() -> None:
    async with PasswordHashing(parameters_of("rfc9106_low_memory"), threads=1) as hashing:
        hashes = asyncio.gather(*(hashing.verify("some password", None) for _ in range(4)))
        turns = 0
        while not hashes.done():
            await asyncio.sleep(0)
            turns += 1
        await hashes

    assert turns > 100


async def test_too_many_at_once_are_refused_before_they_cost_anything() -> None:
    async with PasswordHashing(PARAMETERS, threads=1) as hashing:
        answers = await asyncio.gather(
            *(hashing.verify("some password", None) for _ in range(40)), return_exceptions=True
        )

    refused = [answer for answer in answers if isinstance(answer, Refused)]
    assert len(refused) == 40 - 17
    assert {one.reason for one in refused} == {"OVERLOADED"}
