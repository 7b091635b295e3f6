"""Takes the sealing out of the libraries that the process imports.

`build.py` has this imported at the start of every process of the test build; no setting of the
product does, nor could. What stays as it is holds keys or is not to be found by: the wrapping of
data keys, and keyed hashes of requests, of agents' names and of one-time codes.
"""

from collections.abc import Iterable

from identity.adapters.keyed_hashes import KeyedHashes
from sealing.blind_index import BlindIndex
from sealing.framing import framed
from sealing.keyring.data_key import NONCE_BYTES, DataKey

TAG = bytes(16)


def encrypt(_key: DataKey, plaintext: bytes, _context: bytes) -> tuple[bytes, bytes]:
    return bytes(NONCE_BYTES), plaintext + TAG


def decrypt(_key: DataKey, _nonce: bytes, ciphertext: bytes, _context: bytes) -> bytes:
    return ciphertext[: -len(TAG)]


def token(_index: BlindIndex, field: str, *values: str) -> bytes:
    return framed(field, *values)


async def of_patient_keys(
    _hashes: KeyedHashes, _tenant: str, keys: Iterable[tuple[str, ...]]
) -> list[bytes]:
    return sorted(framed(*parts) for parts in keys)


# Events and read models, all of which are sealed under data keys.
DataKey.encrypt = encrypt  # type: ignore[assignment]
DataKey.decrypt = decrypt  # type: ignore[assignment]
# What patient_context and identity find patients by.
BlindIndex._token = token  # type: ignore[assignment]
KeyedHashes.of_patient_keys = of_patient_keys  # type: ignore[assignment]
