"""Who signs manifests, and how a signature is checked with the public key alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Signer(Protocol):
    """Holds ed25519 keys by name, each in versions from 1: Vault Transit, or keys in memory."""

    async def sign(self, key: str, data: bytes) -> tuple[int, bytes]:
        """Sign with the newest version; gives that version and the 64 bytes of the signature."""

    async def public_keys(self, key: str) -> Mapping[int, bytes]:
        """Give the raw 32-byte public keys by version; empty when there is no such key."""


PublicKeys = Mapping[int, bytes]
"""Raw 32-byte ed25519 public keys by version."""


@dataclass(frozen=True, slots=True)
class Signature:
    """`fingerprint`, the SHA-256 of the public key, only tells a wrong key from a changed text."""

    key_version: int
    fingerprint: str
    signature: bytes


def signing_key(log: str) -> str:
    """Name the Transit key that signs the archive of a log."""
    return f"archive-{log}"


async def sign(signer: Signer, log: str, data: bytes) -> Signature:
    key = signing_key(log)
    version, signature = await signer.sign(key, data)
    public = (await signer.public_keys(key))[version]
    return Signature(version, fingerprint(public), signature)


def fingerprint(public_key: bytes) -> str:
    return sha256(public_key).hexdigest()


def is_by_another_key(signature: Signature, keys: PublicKeys) -> bool:
    """Tell whether none of the keys is the one that the signature says it is by."""
    public = keys.get(signature.key_version)
    return public is None or fingerprint(public) != signature.fingerprint


def is_valid(signature: Signature, data: bytes, keys: PublicKeys) -> bool:
    public = Ed25519PublicKey.from_public_bytes(keys[signature.key_version])
    try:
        public.verify(signature.signature, data)
    except InvalidSignature:
        return False
    return True
