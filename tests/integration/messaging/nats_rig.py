"""A real NATS server in operator mode that a test may kill, restart and rewind."""

import os
import signal
from collections.abc import Iterable
from pathlib import Path

from embedded import NatsServer, NatsTrust, ServerProcess
from messaging.accounts import AccountLimits, Credentials, NatsOperator
from messaging.connect import NatsClient, connect
from messaging.names import Consumption
from messaging.permissions import Permissions, provisioner_permissions, service_permissions
from messaging.streams import StreamLimits, provision

_EVERYTHING = Permissions((">",), (">",))


class NatsRig:
    """A server on a port of its own below `folder`, with an operator made for it."""

    def __init__(self, folder: Path, *, sync_always: bool = False) -> None:
        self.operator = NatsOperator.generate()
        accounts = {
            self.operator.system.public: self.operator.account_jwt(
                self.operator.system, limits=AccountLimits()
            ),
            self.operator.platform.public: self.operator.platform_jwt(),
        }
        trust = NatsTrust(self.operator.operator_jwt(), self.operator.system.public, accounts)
        self.folder = folder / "nats"
        self._server = NatsServer(self.folder, trust, sync_always=sync_always)
        self._process: ServerProcess | None = None

    @property
    def servers(self) -> list[str]:
        return [self._server.url]

    async def start(self) -> None:
        self._process = await ServerProcess.start(self._server)
        await self._process.ready()

    async def kill(self) -> None:
        self.signal(signal.SIGKILL)
        await self._ended()

    async def stop(self) -> None:
        if self._process is not None:
            self.signal(signal.SIGCONT)
            await self._process.stop()
            self._process = None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; after SIGSTOP all its threads have stopped when this returns."""
        if self._process is not None:
            os.kill(self._process.pid, number)
            if number is signal.SIGSTOP:
                # One that still runs on the other core would answer what is sent right now.
                os.waitid(os.P_PID, self._process.pid, os.WSTOPPED | os.WNOWAIT)

    def service(self, name: str, consumes: Iterable[Consumption] = ()) -> Credentials:
        return self.operator.platform.credentials(name, service_permissions(name, consumes))

    def provisioner(self) -> Credentials:
        permissions = provisioner_permissions("provisioner")
        return self.operator.platform.credentials("provisioner", permissions)

    def administrator(self) -> Credentials:
        return self.operator.platform.credentials("administrator", _EVERYTHING)

    def system(self) -> Credentials:
        return self.operator.system.credentials("system", _EVERYTHING)

    async def connect(self, credentials: Credentials) -> NatsClient:
        return await connect(self.servers, user=credentials.user, creds=credentials.text)

    async def provision(
        self,
        services: Iterable[str],
        consumptions: Iterable[Consumption] = (),
        limits: StreamLimits | None = None,
    ) -> None:
        async with await self.connect(self.provisioner()) as client:
            await provision(client.jetstream(), services, consumptions, limits)

    async def _ended(self) -> None:
        if self._process is not None:
            await self._process.ended()
            self._process = None
