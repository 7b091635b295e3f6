"""Argon2id in threads of its own, so that no other call waits for a hash."""

import asyncio
import base64
import hmac
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Literal, Self

from argon2 import Parameters, Type, extract_parameters
from argon2.low_level import ARGON2_VERSION, hash_secret_raw
from runtime.refusal import Refused

from identity.application.first_factor import Proof

_HASH_BYTES: Final = 32
_WAITING_A_THREAD: Final = 16
SALT_BYTES: Final = 16

Profile = Literal["owasp", "rfc9106_low_memory"]


def parameters_of(profile: Profile) -> Parameters:
    """Give the costs: 19 MiB and 2 passes (OWASP Password Storage Cheat Sheet), or 64 MiB, 3
    passes and 4 lanes (RFC 9106, section 4, second recommended option).
    """
    memory, time, lanes = (19_456, 2, 1) if profile == "owasp" else (65_536, 3, 4)
    return Parameters(Type.ID, ARGON2_VERSION, SALT_BYTES, _HASH_BYTES, time, memory, lanes)


@dataclass(frozen=True, slots=True)
class PasswordHash:
    """`encoded` is what is kept (PHC string); `tag` is what the password hashes to."""

    encoded: str
    tag: bytes


class PasswordHashing:
    """Hashes at most `threads` passwords at a time, a bounded number waiting.

    Raises Refused (OVERLOADED) when too many wait.
    """

    def __init__(self, parameters: Parameters, *, threads: int) -> None:
        self._parameters = parameters
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._under_way = 0
        self._most_under_way = threads * (1 + _WAITING_A_THREAD)
        self._nobodys = _encoded(parameters, os.urandom(SALT_BYTES), os.urandom(_HASH_BYTES))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def hash(self, password: str, salt: bytes) -> PasswordHash:
        """Hash a canonical password with a salt of 16 bytes that nobody else has."""
        tag = await self._run(self._parameters, password, salt)
        return PasswordHash(_encoded(self._parameters, salt, tag), tag)

    async def verify(self, password: str, encoded: str | None) -> Proof:
        """Compare a canonical password; without a hash (nobody has that name) as much is done."""
        kept = encoded or self._nobodys
        salt, expected = _salt_and_tag(kept)
        tag = await self._run(extract_parameters(kept), password, salt)
        return Proof(right=hmac.compare_digest(tag, expected) and encoded is not None, tag=tag)

    async def _run(self, parameters: Parameters, password: str, salt: bytes) -> bytes:
        with self._place():
            return await asyncio.get_running_loop().run_in_executor(
                self._pool, _hashed, parameters, password, salt
            )

    @contextmanager
    def _place(self) -> Iterator[None]:
        if self._under_way >= self._most_under_way:
            raise Refused("OVERLOADED")
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1


def _hashed(parameters: Parameters, password: str, salt: bytes) -> bytes:
    return hash_secret_raw(
        password.encode(),
        salt,
        parameters.time_cost,
        parameters.memory_cost,
        parameters.parallelism,
        parameters.hash_len,
        parameters.type,
        parameters.version,
    )


def _encoded(parameters: Parameters, salt: bytes, tag: bytes) -> str:
    costs = f"m={parameters.memory_cost},t={parameters.time_cost},p={parameters.parallelism}"
    return f"$argon2id$v={parameters.version}${costs}${_base64(salt)}${_base64(tag)}"


def _salt_and_tag(encoded: str) -> tuple[bytes, bytes]:
    salt, tag = encoded.split("$")[-2:]
    return _bytes(salt), _bytes(tag)


def _base64(data: bytes) -> str:
    return base64.b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4))
