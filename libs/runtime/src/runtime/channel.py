"""Channels to other services: our limits and retries, and what a call carries along."""

import json
from collections.abc import Sequence
from typing import Final

import grpc

from runtime.interceptors.client import client_interceptors
from runtime.outgoing import Outgoing
from runtime.tls_files import TlsFiles

_SERVICE_CONFIG: Final = json.dumps(
    {
        "loadBalancingConfig": [{"round_robin": {}}],
        "methodConfig": [
            {
                "name": [{}],
                "retryPolicy": {
                    "maxAttempts": 4,
                    "initialBackoff": "0.1s",
                    "maxBackoff": "2s",
                    "backoffMultiplier": 2,
                    "retryableStatusCodes": ["UNAVAILABLE"],
                },
            }
        ],
        "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
    }
)


def open_channel(
    target: str,
    outgoing: Outgoing,
    *,
    max_message_bytes: int = 1_048_576,
    tls: TlsFiles | None = None,
) -> grpc.aio.Channel:
    """Open a channel to "host:port" or "dns:///name:port"; use it as an async context manager.

    UNAVAILABLE alone is retried, so a mutation carries a request id. Without `tls` the channel is
    plaintext, for loopback and meshes.
    """
    options: Sequence[tuple[str, str | int]] = (
        ("grpc.service_config", _SERVICE_CONFIG),
        ("grpc.enable_retries", 1),
        ("grpc.max_receive_message_length", max_message_bytes * 2),
        ("grpc.max_send_message_length", max_message_bytes * 2),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.use_local_subchannel_pool", 1),
    )
    interceptors = client_interceptors(outgoing)
    if tls is None:
        return grpc.aio.insecure_channel(target, options, interceptors=interceptors)
    return grpc.aio.secure_channel(
        target, tls.channel_credentials(), options, interceptors=interceptors
    )
