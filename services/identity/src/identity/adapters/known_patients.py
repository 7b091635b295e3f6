"""The patients that identity knows: rows that hold patient_context's events sealed as they came."""

import secrets
from collections.abc import Iterable, Sequence
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
        await self.take_in(connection, [event])

    async def take_in(self, connection: AsyncConnection, page: Sequence[ReceivedEvent]) -> None:
        """Handle events in order, on a connection that sees all their tenants.

        A patient's last one makes up for those before it: each says all, or that nothing is left.
        """
        last = {
            (event.stream.tenant, event.stream.name): event
            for event in page
            if event.type == ERASED or event.type in DESCRIBED
        }
        described = [event for event in last.values() if event.type in DESCRIBED]
        opened = await self._opened(described)
        standing = [
            (event, one.message)
            for event, one in zip(described, opened, strict=True)
            if not one.erased
        ]
        stand = {event.id for event, _ in standing}
        gone = [event for event in last.values() if event.id not in stand]
        await _each(connection, "delete_known_patient_keys", map(_about, last.values()))
        await _each(connection, "delete_known_patient", map(_about, gone))
        await _each(connection, "put_known_patient", (_row(*one) for one in standing))
        await _each(
            connection, "insert_known_patient_keys", [await self._keys(*one) for one in standing]
        )

    async def forget_all(self, connection: AsyncConnection) -> None:
        """Forget the patients of all tenants, on a connection that sees them."""
        await connection.execute(statement("delete_known_patient_keys_of_all"))
        await connection.execute(statement("delete_known_patients_of_all"))

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

    async def _opened(self, events: Sequence[ReceivedEvent]) -> list[Opened[Described]]:
        return await self._sealer.open_many(
            [
                (
                    DESCRIBED[event.type].FromString(event.data),
                    Place(_SOURCE, event.stream.tenant, event.stream.name, event.id),
                )
                for event in events
            ]
        )

    async def _keys(self, event: ReceivedEvent, message: Described) -> dict[str, Any]:
        record = candidate_of(event.stream.name, message)
        found_by = keys_of_record(record)
        keys = await self._hashes.of_patient_keys(event.stream.tenant, found_by)
        return _about(event) | {"keys": keys}

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


def _about(event: ReceivedEvent) -> dict[str, Any]:
    return {"tenant": event.stream.tenant, "patient": event.stream.name}


def _row(event: ReceivedEvent, message: Described) -> dict[str, Any]:
    return _about(event) | {
        "revision": event.revision,
        "said_by": event.id,
        "type": event.type,
        "data": event.data,
        "deceased": message.deceased,
    }


async def _each(connection: AsyncConnection, name: str, rows: Iterable[dict[str, Any]]) -> None:
    """Run a statement once for each row, all of them in one exchange with the server."""
    if parameters := list(rows):
        await connection.execute(statement(name), parameters)
