"""Where a secret lies: settings name the place and never hold the secret."""

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Self

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema


class SecretUnreadable(Exception):
    """A secret's file is missing, empty, too large or open to others; the text says what to do."""


@dataclass(frozen=True, slots=True)
class SecretFile:
    """An absolute path of a file that holds a secret.

    `read` refuses a file that others could read. A file of another owner, as a mounted Kubernetes
    secret is one of root's, may be readable by its group.
    """

    expected: ClassVar[str] = "the absolute path of a file that holds the secret"
    largest: ClassVar[int] = 16_384

    path: Path

    @classmethod
    def parse(cls, text: str) -> Self:
        if not text.startswith("/") or "\n" in text or "\0" in text:
            raise ValueError(cls.expected)
        return cls(Path(text))

    def read(self) -> str:
        """Give the file's text without surrounding white space; raises SecretUnreadable."""
        content = self._content()
        if not content.strip():
            raise SecretUnreadable(f"{self.path} is empty; put the secret there")
        if len(content) > self.largest:
            raise SecretUnreadable(f"{self.path} is larger than a secret; check the path")
        try:
            return content.decode().strip()
        except UnicodeDecodeError:
            raise SecretUnreadable(f"{self.path} is no text; check the path") from None

    def _content(self) -> bytes:
        try:
            handle = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError as error:
            raise SecretUnreadable(
                f"cannot open {self.path} ({error.strerror}); put the secret there"
            ) from None
        try:
            self._refuse_open_to_others(os.fstat(handle))
            return os.read(handle, self.largest + 1)
        finally:
            os.close(handle)

    def _refuse_open_to_others(self, status: os.stat_result) -> None:
        if not stat.S_ISREG(status.st_mode):
            raise SecretUnreadable(f"{self.path} is no file; check the path")
        own = status.st_uid == os.geteuid()
        forbidden = 0o077 if own else 0o027
        if status.st_mode & forbidden:
            raise SecretUnreadable(f"{self.path} is open to others; run: chmod 600 {self.path}")

    @classmethod
    def __get_pydantic_core_schema__(cls, _: object, __: GetCoreSchemaHandler) -> CoreSchema:
        return _parsed_by(cls)


@dataclass(frozen=True, slots=True)
class VaultPath:
    """A field of a secret in Vault's KV store, written as "secret/careline/nats/identity#creds"."""

    expected: ClassVar[str] = 'a field of a Vault secret, as "secret/careline/name#field"'

    mount: str
    path: str
    field: str

    @classmethod
    def parse(cls, text: str) -> Self:
        match = re.fullmatch(
            r"([a-z][a-z0-9_-]*)/([a-z0-9][a-zA-Z0-9_./-]*)#([a-z][a-z0-9_]*)", text
        )
        if match is None:
            raise ValueError(cls.expected)
        return cls(*match.groups())

    @classmethod
    def __get_pydantic_core_schema__(cls, _: object, __: GetCoreSchemaHandler) -> CoreSchema:
        return _parsed_by(cls)


def _parsed_by(cls: type[SecretFile] | type[VaultPath]) -> CoreSchema:
    """Take an instance as it is and parse a string."""
    parsed = core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema())
    return core_schema.union_schema([core_schema.is_instance_schema(cls), parsed])
