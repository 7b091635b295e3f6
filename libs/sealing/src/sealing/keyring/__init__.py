"""Data keys: made, kept wrapped, linked to patients, erased."""

from sealing.keyring.data_key import DataKey, Erased
from sealing.keyring.erasure import Erasure, Kept
from sealing.keyring.errors import (
    ErasureNotPermitted,
    ErasureRequestReused,
    KeyBroken,
    KeyringError,
    KeyringUnavailable,
    SubjectErased,
    UnknownKey,
)
from sealing.keyring.keyring import Keyring, Limits
from sealing.keyring.links import Link
from sealing.keyring.transit import Transit, TransitUnavailable

__all__ = [
    "DataKey",
    "Erased",
    "Erasure",
    "ErasureNotPermitted",
    "ErasureRequestReused",
    "Kept",
    "KeyBroken",
    "Keyring",
    "KeyringError",
    "KeyringUnavailable",
    "Limits",
    "Link",
    "SubjectErased",
    "Transit",
    "TransitUnavailable",
    "UnknownKey",
]
