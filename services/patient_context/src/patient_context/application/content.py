"""Who a source's patient is here, and whether what it sends is what we have: by keyed hashes."""

import asyncio
import hmac
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from careline.patient_context.events.v1.events_pb2 import ClinicalEntry
from eventstore.ids import timed_uuid
from google.protobuf.message import Message
from sealing.framing import framed
from sealing.normalisation import InvalidIdentifier, normal_identifier

from patient_context.application.source_patient import SourceId, SourcePatient
from patient_context.domain.patient import TakenIn

MOST_ENTRIES_A_PART: Final = 100
LARGEST_PART: Final = 160 * 1024
_ID_PURPOSE: Final = "patient-id"
_DIGEST_PURPOSE: Final = "content-digest"


class IndexKeys(Protocol):
    """Derives keys for a tenant and purpose: sealing's Keyring."""

    async def index_key(self, tenant: str, purpose: str) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Content:
    """What a source sends of a patient, under the name that the patient has here."""

    patient: str
    taken: TakenIn


class Contents:
    """The same patient of a tenant gets the same name from whatever file or process.

    Names and digests are HMACs under keys of the tenant: both stand in clear in events, and record
    numbers are easy to guess.
    """

    def __init__(self, keys: IndexKeys) -> None:
        self._keys = keys

    async def of(self, tenant: str, source: SourcePatient) -> Content:
        id_key = await self._keys.index_key(tenant, _ID_PURPOSE)
        digest_key = await self._keys.index_key(tenant, _DIGEST_PURPOSE)
        # A long record is some tenths of a second of hashing.
        taken = await asyncio.to_thread(_taken, source, digest_key)
        return Content(_name(id_key, source.source), taken)


def canonical(message: Message) -> bytes:
    """Encode what a message holds, by field number: always the same, which protobuf's own encoding
    is not between its versions. For messages of texts, bytes and messages.
    """
    return framed(*_fields(message))


def _fields(message: Message) -> Iterator[bytes]:
    for field, value in message.ListFields():
        values: Sequence[str | bytes | Message] = value if field.is_repeated else [value]
        for each in values:
            yield field.number.to_bytes(4)
            yield canonical(each) if isinstance(each, Message) else framed(each)


def _name(key: bytes, source: SourceId) -> str:
    system, value = source.system, source.value
    if system:
        # A number of signs only is compared as it stands.
        with suppress(InvalidIdentifier):
            system, value = normal_identifier(system, value)
    hashed = hmac.digest(key, framed(system, value), "sha256")
    return f"patients/{timed_uuid(None, hashed)}"


def _taken(source: SourcePatient, key: bytes) -> TakenIn:
    """Put a record in order, so that the order of files and lines makes no difference."""
    encoded = sorted(
        ((one.resource_type, one.start, one.resource_id, canonical(one)), number)
        for number, one in enumerate(source.entries)
    )
    deceased = b"deceased" if source.deceased else b"living"
    return TakenIn(
        demographics=source.demographics,
        deceased=source.deceased,
        demographics_digest=_digest(key, [deceased, canonical(source.demographics)]),
        parts=_parts([source.entries[number] for _, number in encoded]) if encoded else None,
        record_digest=_digest(key, [place[-1] for place, _ in encoded]) if encoded else b"",
    )


def _digest(key: bytes, parts: Iterable[bytes]) -> bytes:
    return hmac.digest(key, framed(*parts), "sha256")


def _parts(entries: Sequence[ClinicalEntry]) -> list[list[ClinicalEntry]]:
    """Cut a record into parts of bounded size."""
    parts: list[list[ClinicalEntry]] = [[]]
    size = 0
    for entry in entries:
        length = entry.ByteSize()
        if parts[-1] and (len(parts[-1]) == MOST_ENTRIES_A_PART or size + length > LARGEST_PART):
            parts.append([])
            size = 0
        parts[-1].append(entry)
        size += length
    return parts
