"""A service of Careline as the supervisor sees it: a process with settings and a health port."""

import os
import signal
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc
from embedded import Command, EmbeddedServerError, Progress, launched, silent, write_private
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse

PROCESS_ENVIRONMENT = {
    "PATH": os.defpath,
    "LC_ALL": "C.UTF-8",
    "TZ": "UTC",
    # gRPC's core would write lines of its own between the log's JSON.
    "GRPC_VERBOSITY": "ERROR",
}
HEALTH_WATCH = "/grpc.health.v1.Health/Watch"


class ServiceNotPrepared(EmbeddedServerError):
    """What a service needs to sign in could not be made ready."""


@dataclass(frozen=True, slots=True)
class Admission:
    """What a service signs in to Vault with: a stable role id and a secret id that only the first
    to unwrap it gets.
    """

    role_id: str
    wrapped_secret_id: str


class ServiceProcess:
    """One service; `admit` gives it a new admission at every start, so that none is kept."""

    stop_signal = signal.SIGTERM

    def __init__(
        self,
        service: str,
        *,
        data_dir: Path,
        log_file: Path,
        settings: Mapping[str, str],
        health_address: str,
        admit: Callable[[str], Admission],
    ) -> None:
        self.name = service
        self.data_dir = data_dir
        self.log_file = log_file
        self._settings = settings
        self._health_address = health_address
        self._admit = admit

    @property
    def role_id_file(self) -> Path:
        return self.data_dir / "role-id"

    @property
    def secret_id_file(self) -> Path:
        return self.data_dir / "secret-id"

    def prepare(self, progress: Progress = silent) -> None:
        """Hand it a fresh admission. Raises ServiceNotPrepared while Vault is away."""
        progress("signing in")
        admission = self._admit(self.name)
        write_private(self.role_id_file, admission.role_id)
        write_private(self.secret_id_file, admission.wrapped_secret_id)

    def command(self) -> Command:
        settings = {
            **self._settings,
            "VAULT_ROLE_ID_FILE": str(self.role_id_file),
            "VAULT_SECRET_ID_FILE": str(self.secret_id_file),
        }
        environment = {f"CARELINE_{name}": value for name, value in settings.items()}
        return Command(
            launched((sys.executable, "-m", self.name), stop_signal=self.stop_signal),
            env={**environment, **PROCESS_ENVIRONMENT},
            cwd=self.data_dir,
        )

    async def wait_ready(self) -> None:
        """Return once the service says that it and all it depends on serve."""
        async with grpc.aio.insecure_channel(self._health_address) as channel:
            watch = channel.unary_stream(
                HEALTH_WATCH,
                request_serializer=HealthCheckRequest.SerializeToString,
                response_deserializer=HealthCheckResponse.FromString,
            )
            async for answer in watch(HealthCheckRequest(), wait_for_ready=True):
                if answer.status == HealthCheckResponse.SERVING:
                    return

    def release(self) -> None:
        """Remove what is of no use without the process: its unused or used-up admission."""
        self.secret_id_file.unlink(missing_ok=True)
