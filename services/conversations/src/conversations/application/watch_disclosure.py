"""One watcher's disclosures: one when it opens, renewed while it lasts."""

import asyncio
from collections.abc import Sequence
from typing import Final

from runtime.access_records import AccessRecords
from runtime.principal import PrincipalKind
from runtime.request_context import current_request

from conversations.domain.conversation import Conversation

RENEWAL_SECONDS: Final = 900.0
RESOURCE_TYPES: Final = ("Communication",)
"""FHIR's resource for what was said between people."""


class Discloser:
    """Makes the disclosures of each watcher; `renewal` is in seconds."""

    def __init__(self, records: AccessRecords, *, renewal: float = RENEWAL_SECONDS) -> None:
        self._records = records
        self._renewal = renewal

    def of(self, conversation: str, obligations: Sequence[str]) -> "WatchDisclosure":
        return WatchDisclosure(self._records, conversation, obligations, self._renewal)


class WatchDisclosure:
    """Notes that an agent sees a patient's conversation; a frontend only passes it on.

    A call has one purpose of use, so a change of purpose is another opening.
    """

    def __init__(
        self,
        records: AccessRecords,
        conversation: str,
        obligations: Sequence[str],
        renewal: float,
    ) -> None:
        self._records = records
        self._conversation = conversation
        self._obligations = obligations
        self._renewal = renewal
        self._noted_at: float | None = None

    async def before(self, state: Conversation) -> None:
        """Append before something of this conversation is shown; raises what the log raises."""
        principal = current_request().principal
        if principal is None or principal.kind is not PrincipalKind.AGENT or not state.patient:
            return
        now = asyncio.get_running_loop().time()
        if self._noted_at is not None and now - self._noted_at < self._renewal:
            return
        await self._records.disclosed(
            state.patient,
            RESOURCE_TYPES,
            conversation=self._conversation,
            caller_level=state.caller_level,
            obligations=self._obligations,
        )
        self._noted_at = now
