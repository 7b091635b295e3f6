"""Patients with keys and links, for tests of erasure."""

from collections.abc import Iterable, Mapping
from uuid import UUID

from integration.sealing.rig import Process, Rig

ADA, BEN, CYD = "patients/ada", "patients/ben", "patients/cyd"


async def with_keys(process: Process, tenant: str, *subjects: str) -> Mapping[str, UUID]:
    return {each: (await process.keyring.data_key(tenant, each)).id for each in subjects}


async def kept_keys(rig: Rig, tenant: str) -> set[str]:
    rows = await rig.rows("SELECT subject FROM keyring.data_key WHERE tenant = :t", t=tenant)
    return {row.subject for row in rows}


async def tombstones(rig: Rig, tenant: str) -> set[str]:
    rows = await rig.rows("SELECT subject FROM keyring.tombstone WHERE tenant = :t", t=tenant)
    return {row.subject for row in rows}


async def link_all(process: Process, tenant: str, links: Iterable[tuple[str, str]]) -> None:
    for subject, patient in links:
        await process.keyring.link(tenant, subject, patient)
