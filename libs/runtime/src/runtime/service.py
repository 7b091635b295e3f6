"""One call that makes a service: its parts, its server, its work beside, its graceful end."""

import asyncio
import logging
import os
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files
from types import ModuleType
from typing import Any, Generic, NoReturn

from eventstore.upcaster import Upcaster
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from sealing.sensitivity import events_among

from runtime.access import PoliciesInvalid, check_actions
from runtime.background import Work, beside
from runtime.drain import StopSignals, drain
from runtime.health import Health
from runtime.incident import record_incident, type_name
from runtime.interceptors.access import DecideAccess
from runtime.interceptors.admission import Admission
from runtime.interceptors.authenticate import Authenticate
from runtime.interceptors.call import Interceptor
from runtime.interceptors.deadline import DeadlineRequired
from runtime.interceptors.telemetry import TraceCalls
from runtime.server import GrpcServer, ServerLimits
from runtime.service_parts import ServiceParts, real_parts
from runtime.service_runtime import PeerUnknown, ServiceRuntime, SettingsT
from runtime.settings import SettingsRefused, load_settings
from runtime.telemetry.logs import log_as_json
from runtime.telemetry.telemetry import collected_by
from runtime.vault.errors import VaultUnavailable

_log = logging.getLogger(__name__)
_CANNOT_START = (VaultUnavailable, PoliciesInvalid, PeerUnknown, OSError)
"""Errors whose texts say what to do and hold no values."""


@dataclass(frozen=True, slots=True)
class Service(Generic[SettingsT]):
    """What a service is: its package, its settings, the modules of its events, how it is composed.

    The package holds its `policies.cedar`. `upcasters` are of its `domain`, with whose sources
    snapshots come and go.
    """

    package: str
    settings: type[SettingsT]
    events: tuple[ModuleType, ...]
    compose: Callable[[ServiceRuntime[SettingsT]], Awaitable[None]]
    upcasters: tuple[Upcaster[Any, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Serving(Generic[SettingsT]):
    """A service that serves, until its context is left."""

    runtime: ServiceRuntime[SettingsT]
    server: GrpcServer
    health: Health


@asynccontextmanager
async def composed(
    service: Service[SettingsT], settings: SettingsT, parts: ServiceParts
) -> AsyncIterator[ServiceRuntime[SettingsT]]:
    """Compose a service of given parts; nothing of it is served or runs yet."""
    async with AsyncExitStack() as stack:
        runtime = ServiceRuntime(
            settings,
            parts,
            event_types(service.events),
            _policies_of(service.package),
            stack,
            service.upcasters,
        )
        await service.compose(runtime)
        yield runtime


@asynccontextmanager
async def serving(
    service: Service[SettingsT],
    settings: SettingsT,
    parts: ServiceParts,
) -> AsyncIterator[Serving[SettingsT]]:
    """Compose a service of given parts and serve: the same for real parts and for a test's."""
    async with composed(service, settings, parts) as runtime, AsyncExitStack() as stack:
        served = {method.action for method in runtime.methods}
        check_actions(runtime.access, served, runtime.decided_actions)
        health = await _health(runtime, parts)
        server = _server(runtime, parts, health)
        await stack.enter_async_context(beside(*_works(runtime, parts, health)))
        await stack.enter_async_context(server)
        yield Serving(runtime, server, health)


def run_service(service: Service[Any]) -> NoReturn:
    """Run a service of this process's environment until SIGTERM or SIGINT, then drain and exit 0.

    Exits 2 when the settings are refused, 1 when it can not start or something beside it failed:
    whoever supervises it starts it again.
    """
    try:
        settings = load_settings(service.settings, os.environ)
    except SettingsRefused as refused:
        sys.stderr.write("".join(f"{complaint}\n" for complaint in refused.complaints))
        sys.exit(2)
    log_as_json(settings.service_name, settings.log_level)
    threading.excepthook = _record_thread_failure
    try:
        asyncio.run(_run(service, settings))
    except _CANNOT_START as error:
        _log.critical(str(error), extra={"error": type_name(error)})
        sys.exit(1)
    except Exception as error:  # noqa: BLE001  nothing above would keep its text out of the log
        record_incident(error, "running the service")
        sys.exit(1)
    sys.exit(0)


def event_types(modules: Iterable[ModuleType]) -> list[type[Message]]:
    """List the event messages of generated modules: those that are no part of another."""
    descriptors = [
        descriptor
        for module in modules
        for descriptor in module.DESCRIPTOR.message_types_by_name.values()
    ]
    return [GetMessageClass(descriptor) for descriptor in events_among(descriptors)]


async def _run(service: Service[SettingsT], settings: SettingsT) -> None:
    asyncio.get_running_loop().set_exception_handler(_record_loop_failure)
    signals = StopSignals()
    with signals.heard():
        async with AsyncExitStack() as stack:
            telemetry = await stack.enter_async_context(
                collected_by(settings.service_name, settings.otlp_endpoint)
            )
            parts = await stack.enter_async_context(real_parts(settings, telemetry))
            running = await stack.enter_async_context(serving(service, settings, parts))
            _log.info("serving", extra={"port": running.server.port})
            await signals.first.wait()
            await drain(
                running.server,
                running.health,
                signals,
                endpoint_delay=settings.endpoint_delay_seconds,
                grace=settings.drain_seconds,
            )


async def _health(runtime: ServiceRuntime[SettingsT], parts: ServiceParts) -> Health:
    health = Health(parts.dependencies)
    probed = {dependency.name for dependency in parts.dependencies}
    for service, needs in runtime.needs.items():
        await health.add_service(service, needs & probed)
    await health.probe_all()
    return health


def _server(runtime: ServiceRuntime[SettingsT], parts: ServiceParts, health: Health) -> GrpcServer:
    settings = runtime.settings
    interceptors: tuple[Interceptor, ...] = (
        TraceCalls(parts.telemetry),
        Admission(settings.max_concurrent_rpcs),
        DeadlineRequired(settings.max_deadline_seconds, settings.max_stream_seconds),
        Authenticate(runtime.token_verifier, runtime.ended_sessions),
        DecideAccess(runtime.access, runtime.records),
    )
    return GrpcServer(
        runtime.methods,
        interceptors,
        health,
        listen=settings.grpc_listen,
        health_listen=settings.health_listen,
        limits=ServerLimits(settings.max_message_bytes, settings.max_concurrent_rpcs),
        tls=parts.tls,
        with_reflection=settings.grpc_reflection,
    )


def _works(
    runtime: ServiceRuntime[SettingsT], parts: ServiceParts, health: Health
) -> Sequence[Work]:
    works = [*parts.background, *runtime.works]
    if parts.messaging is not None:
        works.append(parts.messaging.run)
    if parts.dependencies:
        works.append(health.run)
    return works


def _policies_of(package: str) -> str:
    path = files(package).joinpath("policies.cedar")
    if not path.is_file():
        raise PoliciesInvalid(f"{package} has no policies.cedar; add it to the package")
    return path.read_text()


def _record_thread_failure(failure: threading.ExceptHookArgs) -> None:
    if failure.exc_value is not None:
        record_incident(failure.exc_value, "a thread")


def _record_loop_failure(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Record what nobody awaited; the loop's own handler would log its text."""
    error = context.get("exception")
    if isinstance(error, BaseException):
        record_incident(error, "the event loop")
    else:
        _log.error("the event loop complains")
