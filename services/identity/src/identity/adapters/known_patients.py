"""The patients that identity knows: rows that hold patient_context's events sealed as they came."""

import secrets
from collections.abc import Sequence
from typing import Any, Final

from messaging.received_event import ReceivedEvent
from runtime.database.tenant_session import tenant_session
from sealing.sealer import Opened, Place, Sealer
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from identity.adapters.demographics import (
    DESCRIBED,
    ERASED,
    Described,
    candidate_of,
    numbers_of,
)
from identity.adapters.keyed_hashes import KeyedHashes
from identity.adapters.statements import statement
from identity.application.known_patients import KnownPatient
from identity.domain.lookup import keys_of_identifiers, keys_of_record
from identity.domain.matching import Candidate, Identifiers, MatchPolicy

_SOURCE: Final = "patient_context"
_CANDIDATES: Final = 16
_MOST_OF_A_KEY: Final = 200
_KEY_BYTES: Final = 16


class StoredPatients:
    """Takes events in (as a consumer's handler) and finds patients again (KnownPatients)."""

    def __init__(self, engine: AsyncEngine, sealer: Sealer, hashes: KeyedHashes) -> None:
        self._engine = engine
        self._sealer = sealer
        self._hashes = hashes

    async def handle(self, connection: AsyncConnection, event: ReceivedEvent) -> None:
        """Take in who a patient is now, or that the patient's data are gone."""
        if event.type == ERASED:
            await self._forget(connection, event.stream.tenant, event.stream.name)
        elif event.type in DESCRIBED:
            await self._take_in(connection, event)

    async def candidates(
        self, tenant: str, identifiers: Identifiers, policy: MatchPolicy
    ) -> list[Candidate]:
        """Open sixteen records, or all if there are fewer, whoever is meant."""
        keys = await self._hashes.of_patient_keys(tenant, keys_of_identifiers(identifiers, policy))
        async with tenant_session(self._engine, tenant) as connection:
            found = await connection.execute(
                statement("find_candidates"),
                {
                    "tenant": tenant,
                    "keys": keys,
                    "anywhere": secrets.token_bytes(_KEY_BYTES),
                    "candidates": _CANDIDATES,
                    "most_of_a_key": _MOST_OF_A_KEY,
                },
            )
            rows = found.all()
        opened = await self._open(tenant, rows)
        return [
            candidate_of(row.patient, one.message)
            for row, one in zip(rows, opened, strict=True)
            if not one.erased
        ]

    async def read(self, tenant: str, patient: str) -> KnownPatient | None:
        async with tenant_session(self._engine, tenant) as connection:
            found = await connection.execute(
                statement("read_known_patient"), {"tenant": tenant, "patient": patient}
            )
            rows = found.all()
        for row, opened in zip(rows, await self._open(tenant, rows), strict=True):
            if not opened.erased:
                return KnownPatient(patient, row.deceased, numbers_of(opened.message))
        return None

    async def _take_in(self, connection: AsyncConnection, event: ReceivedEvent) -> None:
        tenant, patient = event.stream.tenant, event.stream.name
        message = DESCRIBED[event.type].FromString(event.data)
        place = Place(_SOURCE, tenant, patient, event.id)
        (opened,) = await self._sealer.open_many([(message, place)])
        if opened.erased:
            await self._forget(connection, tenant, patient)
            return
        about = {"tenant": tenant, "patient": patient}
        await connection.execute(
            statement("put_known_patient"),
            about
            | {
                "revision": event.revision,
                "said_by": event.id,
                "type": event.type,
                "data": event.data,
                "deceased": message.deceased,
            },
        )
        keys = await self._hashes.of_patient_keys(
            tenant, keys_of_record(candidate_of(patient, opened.message))
        )
        await connection.execute(statement("delete_known_patient_keys"), about)
        await connection.execute(statement("insert_known_patient_keys"), about | {"keys": keys})

    async def _forget(self, connection: AsyncConnection, tenant: str, patient: str) -> None:
        about = {"tenant": tenant, "patient": patient}
        await connection.execute(statement("delete_known_patient_keys"), about)
        await connection.execute(statement("delete_known_patient"), about)

    async def _open(self, tenant: str, rows: Sequence[Row[Any]]) -> list[Opened[Described]]:
        return await self._sealer.open_many(
            [
                (
                    DESCRIBED[row.type].FromString(row.data),
                    Place(_SOURCE, tenant, row.patient, row.said_by),
                )
                for row in rows
            ]
        )
