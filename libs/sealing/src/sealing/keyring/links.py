"""Which patient a subject is about, and which patient another was merged into."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sealing.keyring.errors import SubjectErased
from sealing.keyring.sessions import Against, Sessions
from sealing.keyring.statements import statement


@dataclass(frozen=True, slots=True)
class Link:
    """The subject (a conversation, or a merged patient) belongs to the patient."""

    subject: str
    patient: str
    linked_at: datetime


class Links:
    """Adds and removes links; both are idempotent."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    async def add(self, tenant: str, subject: str, patient: str) -> None:
        """Raise SubjectErased when either was erased: the erasure would not reach it any more."""
        if subject == patient:
            raise ValueError("a subject is not linked to itself")
        both = {"tenant": tenant, "subject": subject, "patient": patient}
        async with self._sessions.begin(tenant, Against.ERASURES) as connection:
            erased = await connection.execute(
                statement("read_tombstones"), {"tenant": tenant, "subjects": [subject, patient]}
            )
            for stone in erased:
                raise SubjectErased(tenant, stone.subject)
            await connection.execute(statement("insert_link"), both)
            await connection.execute(statement("await_standby"))

    async def add_living(self, tenant: str, links: Sequence[tuple[str, str]]) -> int:
        """Add those (subject, patient) of which neither was erased; gives how many these are."""
        sides = sorted({side for link in links for side in link})
        async with self._sessions.begin(tenant, Against.ERASURES) as connection:
            erased = await connection.scalars(
                statement("read_tombstones"), {"tenant": tenant, "subjects": sides}
            )
            gone = set(erased)
            living = [
                {"tenant": tenant, "subject": subject, "patient": patient}
                for subject, patient in links
                if gone.isdisjoint((subject, patient))
            ]
            if living:
                await connection.execute(statement("insert_link"), living)
                await connection.execute(statement("await_standby"))
        return len(living)

    async def remove(self, tenant: str, subject: str, patient: str) -> None:
        both = {"tenant": tenant, "subject": subject, "patient": patient}
        async with self._sessions.begin(tenant, Against.ERASURES) as connection:
            await connection.execute(statement("delete_link"), both)
            await connection.execute(statement("await_standby"))

    async def of(self, tenant: str, subject: str) -> tuple[Link, ...]:
        async with self._sessions.begin(tenant) as connection:
            found = await connection.execute(
                statement("read_links"), {"tenant": tenant, "subject": subject}
            )
            return tuple(Link(row.subject, row.patient, row.linked_at) for row in found)
