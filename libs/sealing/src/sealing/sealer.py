"""Seals the PII and PHI of events under their subject's key, and opens them again."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar
from uuid import UUID

from google.protobuf.message import Message

from sealing.framing import framed
from sealing.keyring.data_key import DataKey, Erased, NotAuthentic
from sealing.keys import Keys
from sealing.lifting import lift
from sealing.sensitivity import SEALED_FIELD

M = TypeVar("M", bound=Message)

_KEY_ID_BYTES = 16


class AlreadySealed(ValueError):
    """The message to seal carries sealed fields: open it first."""

    def __init__(self) -> None:
        super().__init__("the message is sealed already: open it before sealing it anew")


class SealBroken(Exception):
    """The sealed fields are not those that were sealed for this event at this place."""

    def __init__(self, log: str, stream: str, event_id: UUID) -> None:
        super().__init__(
            f"event {event_id} of {stream} in log {log} does not open: it was altered or moved; "
            "compare it with the archive and treat this as an incident"
        )
        self.event_id = event_id


@dataclass(frozen=True, slots=True)
class Place:
    """Where an event stands. What was sealed for one place opens at no other."""

    log: str
    tenant: str
    stream: str
    event_id: UUID


@dataclass(frozen=True, slots=True)
class Opened(Generic[M]):
    """The message in clear, without its field `sealed`. When its key is gone, `erased` names the
    paths that were set once: they are erased, not empty.
    """

    message: M
    erased: tuple[str, ...] = ()


class Sealer:
    """Seals one message, opens one or a page of them. Raises what the keyring raises."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def seal(
        self, message: M, *, tenant: str, subject: str, log: str, stream: str, event_id: UUID
    ) -> M:
        """Return a copy whose PII and PHI stand encrypted in `sealed`; without any, a plain copy.

        Fields unknown to this version are dropped. Raises SubjectErased, AlreadySealed and
        NotSealable.
        """
        if _is_sealed(message):
            raise AlreadySealed
        lifted = lift(message)
        if not lifted.paths:
            return lifted.public
        key = await self._keys.data_key(tenant, subject)
        place = Place(log, tenant, stream, event_id)
        plaintext = lifted.sensitive.SerializeToString(deterministic=True)
        nonce, ciphertext = key.encrypt(
            plaintext, _context(place, message.DESCRIPTOR.full_name, lifted.paths)
        )
        sealed = _sealed(lifted.public)
        sealed.key_id = key.id.bytes
        sealed.nonce = nonce
        sealed.ciphertext = ciphertext
        sealed.paths.extend(lifted.paths)
        return lifted.public

    async def open(
        self, message: M, *, tenant: str, log: str, stream: str, event_id: UUID
    ) -> Opened[M]:
        """Open one message as it was stored. Raises SealBroken, UnknownKey."""
        (opened,) = await self.open_many([(message, Place(log, tenant, stream, event_id))])
        return opened

    async def open_many(self, page: Sequence[tuple[M, Place]]) -> list[Opened[M]]:
        """Open a page, in order, by at most one keyring query for each tenant in it."""
        wanted: defaultdict[str, set[UUID]] = defaultdict(set)
        for message, place in page:
            if _is_sealed(message):
                wanted[place.tenant].add(_key_id(message, place))
        keys = {tenant: await self._keys.keys_by_id(tenant, ids) for tenant, ids in wanted.items()}
        return [_open(message, place, keys.get(place.tenant, {})) for message, place in page]


def _open(message: M, place: Place, keys: Mapping[UUID, DataKey | Erased]) -> Opened[M]:
    opened = type(message)()
    opened.CopyFrom(message)
    if not _is_sealed(message):
        return Opened(opened)
    opened.ClearField(SEALED_FIELD)
    sealed = _sealed(message)
    key = keys[_key_id(message, place)]
    if isinstance(key, Erased):
        return Opened(opened, tuple(sealed.paths))
    context = _context(place, message.DESCRIPTOR.full_name, sealed.paths)
    try:
        opened.MergeFromString(key.decrypt(sealed.nonce, sealed.ciphertext, context))
    except NotAuthentic:
        raise SealBroken(place.log, place.stream, place.event_id) from None
    return Opened(opened)


def _context(place: Place, type_name: str, paths: Sequence[str]) -> bytes:
    """Encode what the ciphertext is bound to: its place, its type, and the paths it stands for."""
    return framed(
        "careline.sealing.event",
        place.log,
        place.tenant,
        place.stream,
        place.event_id.bytes,
        type_name,
        *paths,
    )


def _is_sealed(message: Message) -> bool:
    return SEALED_FIELD in message.DESCRIPTOR.fields_by_name and message.HasField(SEALED_FIELD)


def _sealed(message: Message) -> Any:  # noqa: ANN401 - each type has the field, no class declares it
    return getattr(message, SEALED_FIELD)


def _key_id(message: Message, place: Place) -> UUID:
    octets = _sealed(message).key_id
    if len(octets) != _KEY_ID_BYTES:
        raise SealBroken(place.log, place.stream, place.event_id)
    return UUID(bytes=octets)
