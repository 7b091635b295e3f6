"""What a service depends on, by the names that its health service answers to."""

from typing import Final

DEPENDENCIES: Final = ("database", "keyring", "vault", "nats")
