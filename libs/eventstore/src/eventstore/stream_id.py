"""Which stream of which tenant."""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

from eventstore.ids import time_of, timed_uuid

_TENANT = re.compile(r"[a-z][a-z0-9-]{1,31}")
_NAME = re.compile(r"([a-z][A-Za-z0-9]{0,63})/([A-Za-z0-9_-]{1,64})")


@dataclass(frozen=True, slots=True, order=True)
class StreamId:
    """A stream's tenant (a slug) and resource name, as `conversations/0197…`.

    An id is one token of letters, digits, `_` and `-`, so that it may stand in a NATS subject.
    Raises ValueError for anything else.
    """

    tenant: str
    name: str

    def __post_init__(self) -> None:
        if _TENANT.fullmatch(self.tenant) is None:
            raise ValueError("a tenant is a slug: 2 to 32 of a-z, 0-9 and -, a letter first")
        if _NAME.fullmatch(self.name) is None:
            raise ValueError("a stream's name is '<collection>/<id>', its id one token")

    @property
    def category(self) -> str:
        return self.name.partition("/")[0]

    @property
    def id(self) -> str:
        return self.name.partition("/")[2]

    @property
    def key(self) -> UUID:
        """Sixteen bytes that stand for the stream in the log's index.

        They begin with the time of a UUIDv7 id, so that streams made together lie together
        in the index; the rest hashes tenant and name.
        """
        return _key(self.tenant, self.name)


# An append needs it, and the reads before it: a stream that is written to is soon asked for again.
@lru_cache(maxsize=8_192)
def _key(tenant: str, name: str) -> UUID:
    hashed = sha256(f"{tenant}\0{name}".encode()).digest()
    return timed_uuid(_time_of_id(name.partition("/")[2]), hashed)


def _time_of_id(text: str) -> int | None:
    try:
        return time_of(UUID(text))
    except ValueError:
        return None
