"""The fixtures of the messaging integration tests serve here, too."""

from integration.messaging.conftest import (
    administrator,
    audit_client,
    log_rig,
    nats_rig,
    platform,
    relay,
    source_client,
)

__all__ = [
    "administrator",
    "audit_client",
    "log_rig",
    "nats_rig",
    "platform",
    "relay",
    "source_client",
]
