"""Ed25519 keys as NATS writes them (nkeys): who an operator, an account and a user are."""

import os
from dataclasses import dataclass, field
from enum import IntEnum

import nkeys


class SeedInvalid(ValueError):
    """The text is no nkeys seed of the kind that was expected."""


class KeyKind(IntEnum):
    """What a key stands for; the value is its prefix byte."""

    OPERATOR = nkeys.PREFIX_BYTE_OPERATOR
    ACCOUNT = nkeys.PREFIX_BYTE_ACCOUNT
    USER = nkeys.PREFIX_BYTE_USER


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key pair: `public` (base32, 56 characters) may be shown, `seed` is never printed."""

    kind: KeyKind
    public: str
    seed: str = field(repr=False)

    @classmethod
    def generate(cls, kind: KeyKind) -> "SigningKey":
        return cls.from_seed(kind, nkeys.encode_seed(os.urandom(32), kind.value).decode())

    @classmethod
    def from_seed(cls, kind: KeyKind, seed: str) -> "SigningKey":
        """Raise SeedInvalid when the seed is malformed or of another kind."""
        try:
            prefix, raw = nkeys.decode_seed(seed.encode())
            # nkeys does not look at the checksum: a seed with a typo would be another key.
            intact = nkeys.encode_seed(raw, prefix) == seed.encode()
        except (nkeys.NkeysError, ValueError, IndexError) as error:
            raise SeedInvalid(f"this is no nkeys seed ({kind.name.lower()} wanted)") from error
        if prefix != kind or not intact:
            raise SeedInvalid(f"this is no intact nkeys seed of kind {kind.name.lower()}")
        public = nkeys.from_seed(seed.encode()).public_key.decode()
        return cls(kind=kind, public=public, seed=seed)

    def sign(self, data: bytes) -> bytes:
        return bytes(nkeys.from_seed(self.seed.encode()).sign(data))
