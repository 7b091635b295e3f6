"""hvac, which blocks, behind a bounded pool of threads, its errors turned into ours."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Final, Self, TypeVar

import hvac
import requests
from hvac.exceptions import (
    Forbidden,
    InvalidPath,
    InvalidRequest,
    Unauthorized,
    UnsupportedOperation,
    VaultError,
)
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from runtime.addresses import ServerUrl
from runtime.vault.errors import VaultAbsent, VaultDenied, VaultRefusedInput, VaultUnavailable

_T = TypeVar("_T")
_THREADS: Final = 4
_MOST_WAITING: Final = 256
_RETRIED_STATUSES: Final = (412, 502, 503)


class VaultConnection:
    """Runs operations of hvac clients on threads of its own, one HTTP session a thread.

    An operation is given up after `timeout` seconds; its thread ends by itself soon after.
    """

    def __init__(
        self, address: ServerUrl, *, ca_file: str | None = None, timeout: float = 5.0
    ) -> None:
        self._address = address
        self._verify: str | bool = ca_file or True
        self._timeout = timeout
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="vault")
        self._local = threading.local()
        self._sessions: list[requests.Session] = []
        self._waiting = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        _type: type[BaseException] | None,
        _value: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        for session in self._sessions:
            session.close()

    async def run(self, token: str, operation: Callable[[hvac.Client], _T]) -> _T:
        """Run an operation with a token; raises VaultUnavailable or another of its family."""
        if self._waiting >= _MOST_WAITING:
            raise VaultUnavailable("too many requests to Vault are under way; retry later")
        self._waiting += 1
        try:
            async with asyncio.timeout(self._timeout * 2):
                loop = asyncio.get_running_loop()
                return await loop.run_in_executor(self._threads, self._attempt, token, operation)
        except TimeoutError:
            raise VaultUnavailable(f"Vault at {self._address} does not answer; check it") from None
        finally:
            self._waiting -= 1

    def _attempt(self, token: str, operation: Callable[[hvac.Client], _T]) -> _T:
        try:
            return operation(self._client(token))
        except (Forbidden, Unauthorized):
            raise VaultDenied("Vault denies this; check the policy of the workload") from None
        except (InvalidPath, UnsupportedOperation):
            raise VaultAbsent("Vault has no such key, secret or role; provision it") from None
        except InvalidRequest:
            raise VaultRefusedInput("Vault can not do this with what it was given") from None
        except (VaultError, requests.RequestException) as error:
            raise VaultUnavailable(
                f"Vault at {self._address} is away ({type(error).__name__}); check that it runs "
                "and is unsealed"
            ) from None

    def _client(self, token: str) -> hvac.Client:
        """Give this thread's session a client. The environment's tokens and proxies are ignored."""
        session: requests.Session | None = getattr(self._local, "session", None)
        if session is None:
            session = requests.Session()
            session.trust_env = False
            session.verify = self._verify
            retry = Retry(
                total=2,
                read=0,
                status_forcelist=_RETRIED_STATUSES,
                allowed_methods=None,
                backoff_factor=0.1,
                raise_on_status=False,
                respect_retry_after_header=False,
            )
            session.mount(f"{self._address}/", HTTPAdapter(max_retries=retry))
            self._local.session = session
            self._sessions.append(session)
        return hvac.Client(
            str(self._address), token=token, timeout=int(self._timeout), session=session
        )
