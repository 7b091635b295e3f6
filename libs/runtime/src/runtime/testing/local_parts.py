"""Parts of a service for tests that need no Vault and no NATS: a log in memory, keys in memory."""

import base64
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from eventstore.event_log import EventLog
from eventstore.memory import MemoryEventLog
from sealing.keyring.keyring import Keyring
from sealing.keyring.transit import TransitUnavailable
from sqlalchemy.ext.asyncio import AsyncEngine

from runtime.addresses import DatabaseAddress, ListenAddress, ServerUrl
from runtime.health import Dependency
from runtime.secret_reference import SecretFile
from runtime.service_parts import ServiceParts
from runtime.service_runtime import SettingsT
from runtime.telemetry.telemetry import Telemetry, collected_by
from runtime.testing.local_keys import LocalKeys

_NONCE_BYTES = 12
_NOWHERE = Path("/nonexistent")


class LocalTransit:
    """Wraps tenants' keys under a key of this process, as Vault's Transit does under its own."""

    def __init__(self) -> None:
        self._key = AESGCM(AESGCM.generate_key(256))
        self._wrapped = 0

    async def wrap(self, tenant: str, plaintext: bytes) -> str:
        self._wrapped += 1
        nonce = self._wrapped.to_bytes(_NONCE_BYTES, "big")
        sealed = nonce + self._key.encrypt(nonce, plaintext, tenant.encode())
        return base64.b64encode(sealed).decode()

    async def unwrap(self, tenant: str, wrapped: str) -> bytes:
        sealed = base64.b64decode(wrapped)
        nonce, ciphertext = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
        try:
            return self._key.decrypt(nonce, ciphertext, tenant.encode())
        except InvalidTag:
            raise TransitUnavailable("another process wrapped this") from None


@asynccontextmanager
async def local_parts(
    service: str,
    engine: AsyncEngine,
    *,
    telemetry: Telemetry | None = None,
    log: EventLog | None = None,
    keys: LocalKeys | None = None,
    probes: dict[str, Callable[[], Coroutine[Any, Any, None]]] | None = None,
) -> AsyncIterator[ServiceParts]:
    """Give parts that stand on one PostgreSQL database, which has the keyring's schema.

    `engine` serves queries and keyring alike. `probes` are dependencies by name, none by default.
    """
    async with collected_by(service, None) as silent, Keyring(engine, LocalTransit()) as keyring:
        yield ServiceParts(
            telemetry or silent,
            log or MemoryEventLog(),
            engine,
            keyring,
            keys or LocalKeys(),
            dependencies=tuple(Dependency(name, probe) for name, probe in (probes or {}).items()),
        )


def local_settings(kind: type[SettingsT], service: str, **changes: object) -> SettingsT:
    """Make settings for `local_parts`: listening on free ports of loopback, knowing no server."""
    nowhere = DatabaseAddress("nowhere", 5432, socket_dir=_NOWHERE)
    values: dict[str, object] = {
        "service_name": service,
        "grpc_listen": ListenAddress("127.0.0.1", 0),
        "health_listen": ListenAddress("127.0.0.1", 0),
        "database": nowhere,
        "keyring_database": nowhere,
        "vault_address": ServerUrl("http://127.0.0.1:9"),
        "vault_role_id_file": SecretFile(_NOWHERE),
        "vault_secret_id_file": SecretFile(_NOWHERE),
        "nats_url": ServerUrl("nats://127.0.0.1:9"),
        **changes,
    }
    return kind.model_validate(values)
