"""The gRPC server of a service: limits, interceptors, reflection, health on a port of its own."""

from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2_grpc
from grpc_reflection.v1alpha._async import ReflectionServicer

from runtime.addresses import ListenAddress
from runtime.health import Health
from runtime.interceptors.call import Interceptor
from runtime.interceptors.catch_all import catch_all
from runtime.interceptors.chain import Handlers
from runtime.served_method import ServedMethod, methods_of
from runtime.tls_files import TlsFiles

_HEALTH: Final = health_pb2.DESCRIPTOR.services_by_name["Health"].full_name
_ROOM_FOR_REFUSAL: Final = 2
"""How many times the largest message gRPC takes, so that we can refuse it with a reason."""
_MARGIN_RPCS: Final = 64
"""Calls beyond the limit that gRPC lets in, so that we can refuse them with a reason."""


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """What a server takes at most."""

    max_message_bytes: int = 1_048_576
    max_concurrent_rpcs: int = 1024
    max_connection_age_seconds: int = 300


class GrpcServer:
    """Serves methods through the interceptors, and health on a second, plaintext port.

    Entering starts both; `port` and `health_port` say where they listen. Leaving stops at once: see
    `drain` for the graceful way.
    """

    def __init__(
        self,
        methods: Sequence[ServedMethod],
        interceptors: Sequence[Interceptor],
        health: Health,
        *,
        listen: ListenAddress,
        health_listen: ListenAddress,
        limits: ServerLimits | None = None,
        tls: TlsFiles | None = None,
        with_reflection: bool = True,
    ) -> None:
        limits = limits or ServerLimits()
        served = [*methods, *_health_methods(health)]
        if with_reflection:
            served += _reflection_methods(served)
        handlers = Handlers(
            served, (catch_all, *interceptors), (catch_all,), limits.max_message_bytes
        )
        self._server = grpc.aio.server(
            handlers=(handlers,),
            options=server_options(limits),
            maximum_concurrent_rpcs=limits.max_concurrent_rpcs + _MARGIN_RPCS,
        )
        self._health_server = grpc.aio.server(
            options=[("grpc.so_reuseport", 0)], maximum_concurrent_rpcs=_MARGIN_RPCS
        )
        self._health_server.add_generic_rpc_handlers(
            (Handlers(_health_methods(health), (), (catch_all,), limits.max_message_bytes),)
        )
        self.port = _listen(self._server, listen, tls)
        self.health_port = _listen(self._health_server, health_listen, None)

    async def __aenter__(self) -> Self:
        try:
            await self._server.start()
            await self._health_server.start()
        except BaseException:
            await self._stop_both()
            raise
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await self._stop_both()

    async def stop(self, grace: float | None) -> None:
        """Refuse new calls, let those under way end within `grace` seconds, then cut them off."""
        await self._server.stop(grace)

    async def _stop_both(self) -> None:
        await self._server.stop(None)
        await self._health_server.stop(None)


def server_options(limits: ServerLimits) -> list[tuple[str, int]]:
    return [
        ("grpc.max_receive_message_length", limits.max_message_bytes * _ROOM_FOR_REFUSAL),
        ("grpc.max_send_message_length", limits.max_message_bytes * _ROOM_FOR_REFUSAL),
        ("grpc.max_metadata_size", 16_384),
        ("grpc.max_concurrent_streams", limits.max_concurrent_rpcs + _MARGIN_RPCS),
        ("grpc.max_connection_age_ms", limits.max_connection_age_seconds * 1000),
        ("grpc.max_connection_age_grace_ms", 30_000),
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.min_recv_ping_interval_without_data_ms", 10_000),
        ("grpc.so_reuseport", 0),
    ]


def _listen(server: grpc.aio.Server, address: ListenAddress, tls: TlsFiles | None) -> int:
    """Bind, and raise OSError with a clear text when the address is taken."""
    try:
        if tls is None:
            return server.add_insecure_port(str(address))
        return server.add_secure_port(str(address), tls.server_credentials())
    except RuntimeError:
        raise OSError(f"can not listen on {address}; it is taken or not this machine's") from None


def _health_methods(health: Health) -> list[ServedMethod]:
    methods = methods_of(health_pb2_grpc.add_HealthServicer_to_server, health.servicer)
    return methods[_HEALTH]


def _reflection_methods(served: Sequence[ServedMethod]) -> list[ServedMethod]:
    services = {method.name.partition("/")[0] for method in served}
    names = (*sorted(services), reflection.SERVICE_NAME)
    methods = methods_of(
        reflection_pb2_grpc.add_ServerReflectionServicer_to_server, ReflectionServicer(names)
    )
    return methods[reflection.SERVICE_NAME]
