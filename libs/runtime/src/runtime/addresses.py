"""Addresses in settings, parsed strictly: none that would carry secrets in clear is accepted."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import parse_qs, urlsplit

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")


def is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class _Parsed:
    """A value that pydantic takes as it is or parses from a string with its `parse`."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        raise NotImplementedError

    @classmethod
    def __get_pydantic_core_schema__(cls, _: object, __: GetCoreSchemaHandler) -> CoreSchema:
        parsed = core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema())
        return core_schema.union_schema([core_schema.is_instance_schema(cls), parsed])


@dataclass(frozen=True, slots=True)
class ListenAddress(_Parsed):
    """Where a server listens, as "127.0.0.1:7001", "[::1]:7001" or "0.0.0.0:0" (any free port)."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        split = urlsplit(f"//{text}")
        if split.netloc != text or split.hostname is None or split.username is not None:
            raise ValueError
        if split.port is None or not (_HOST.fullmatch(split.hostname) or ":" in split.hostname):
            raise ValueError
        return cls(split.hostname, split.port)

    @property
    def loopback(self) -> bool:
        return is_loopback(self.host)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class DatabaseAddress(_Parsed):
    """Where a PostgreSQL database is, as a libpq URL without user and password.

    Either a Unix socket ("postgresql:///careline?host=/run/postgresql&port=5432") or a host with
    verify-full TLS ("postgresql://db:5432/careline?sslmode=verify-full&sslrootcert=/etc/ca.pem").
    """

    database: str
    port: int
    socket_dir: Path | None = None
    host: str | None = None
    ca_file: Path | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        url = urlsplit(text)
        query = {
            key: values[-1] for key, values in parse_qs(url.query, strict_parsing=True).items()
        }
        database = url.path.removeprefix("/")
        if url.scheme != "postgresql" or url.username is not None or url.password is not None:
            raise ValueError
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", database):
            raise ValueError
        if url.hostname is None:
            return cls(database, int(query.pop("port", "5432")), _absolute(query, "host"))
        if query.pop("sslmode", None) != "verify-full":
            raise ValueError
        return cls(
            database, url.port or 5432, host=url.hostname, ca_file=_absolute(query, "sslrootcert")
        )


def _absolute(query: Mapping[str, str], key: str) -> Path:
    """Take the only option left, an absolute path."""
    if set(query) != {key} or not query[key].startswith("/"):
        raise ValueError
    return Path(query[key])


@dataclass(frozen=True, slots=True)
class ServerUrl(_Parsed):
    """URL of a server spoken to over TLS, or without TLS on this machine's loopback only."""

    url: str

    @classmethod
    def parse(cls, text: str) -> Self:
        split = urlsplit(text)
        if split.hostname is None or split.username is not None or split.query or split.fragment:
            raise ValueError
        if split.path not in ("", "/") or not _HOST.fullmatch(split.hostname.replace(":", "")):
            raise ValueError
        encrypted = split.scheme in ("https", "tls")
        local = split.scheme in ("http", "nats") and is_loopback(split.hostname)
        if not (encrypted or local) or split.port == 0:
            raise ValueError
        return cls(text.rstrip("/"))

    @property
    def encrypted(self) -> bool:
        return self.url.startswith(("https:", "tls:"))

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class Peers(_Parsed):
    """gRPC targets of other services, written as "identity=127.0.0.1:7001,audit=dns:///audit:7443"."""

    targets: Mapping[str, str]

    @classmethod
    def parse(cls, text: str) -> Self:
        pairs = [part.strip().partition("=") for part in text.split(",") if part.strip()]
        targets = {name: target for name, _, target in pairs}
        if len(targets) != len(pairs):
            raise ValueError
        for name, target in targets.items():
            if not re.fullmatch(r"[a-z][a-z_]{1,30}", name):
                raise ValueError
            if not re.fullmatch(r"(dns:///)?(\[[0-9a-f:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}", target):
                raise ValueError
        return cls(targets)

    def __getitem__(self, service: str) -> str:
        """Give a service's target; raises KeyError when the setting lacks it."""
        return self.targets[service]
