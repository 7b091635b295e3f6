"""Erasure against a second, slower statement of its rule, on webs of links drawn at random."""

import asyncio
import random
from collections.abc import Mapping

import pytest
from integration.sealing.erasing import kept_keys, link_all
from integration.sealing.rig import ERASING, Rig


@pytest.mark.parametrize("seed", range(20))
async def test_in_any_web_of_links_what_nobody_else_needs_goes_and_nothing_else(
    rig: Rig, tenant: str, seed: int
) -> None:
    draw = random.Random(seed)  # noqa: S311 - the same webs every time
    process = await rig.process(roles=ERASING)
    patients = [f"patients/{number}" for number in range(6)]
    subjects = [f"conversations/{number}" for number in range(10)]
    links = {(draw.choice(subjects), draw.choice(patients)) for _ in range(14)}
    for _ in range(draw.randrange(4)):
        merged, survivor = draw.sample(patients, 2)
        links.add((merged, survivor))
    await asyncio.gather(
        *(process.keyring.data_key(tenant, each) for each in (*patients, *subjects))
    )
    await link_all(process, tenant, sorted(links))
    owners = {each: {owner for one, owner in links if one == each} for each in subjects + patients}
    gone: set[str] = set()

    for number, patient in enumerate(draw.sample(patients, 3)):
        erasure = await process.keyring.erase(tenant, patient, f"requests/{number}")

        fresh = set(erasure.erased)
        assert fresh == expected(patient, owners, gone) - gone
        assert all(
            set(kept.patients) == owners[kept.subject] - gone - fresh - {patient} != set()
            for kept in erasure.kept
        )
        gone |= fresh
        assert await kept_keys(rig, tenant) == {*patients, *subjects} - gone


def expected(patient: str, owners: Mapping[str, set[str]], gone: set[str]) -> set[str]:
    """Say the rule once more, the slow way: grow the set by one until nothing is left to add."""
    going = {patient}
    while True:
        more = [
            each
            for each, of in owners.items()
            if each not in going and of & going and of <= going | gone
        ]
        if not more:
            return going
        going.add(more[0])
