"""Objects by name in a folder or a bucket, by `obstore`."""

import asyncio
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import ObjectStore, from_url

from eventstore.archive.errors import ArchiveRivalled, ArchiveUnavailable

_AWAY = (BaseError, OSError)


class ArchiveStore:
    """Reads and replaces whole objects; each write is atomic, and on disk when it returns.

    `url` is a folder as "file:///..." or a bucket as "s3://bucket/prefix", whose endpoint and
    credentials are taken from the standard AWS_* variables. Methods raise ArchiveUnavailable.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._url = url
        self._folder = Path(unquote(parts.path)) if parts.scheme == "file" else None

    @cached_property
    def _store(self) -> ObjectStore:
        """Open the folder or bucket when it is first used: it may be away at the start."""
        try:
            if self._folder is not None:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            return from_url(self._url)
        except (*_AWAY, ValueError) as error:
            raise ArchiveUnavailable(f"no object storage at this URL: {_named(error)}") from error

    async def put(self, name: str, data: bytes) -> None:
        """Make or replace an object."""
        try:
            await obstore.put_async(self._store, name, data, mode="overwrite")
            await self._sync(name)
        except _AWAY as error:
            raise ArchiveUnavailable(f"{name} was not written: {_named(error)}") from error

    async def create(self, name: str, data: bytes) -> None:
        """Make an object; raises ArchiveRivalled when it is there already."""
        try:
            await obstore.put_async(self._store, name, data, mode="create")
            await self._sync(name)
        except AlreadyExistsError as error:
            raise ArchiveRivalled(f"{name} is there already: another archiver wrote it") from error
        except _AWAY as error:
            raise ArchiveUnavailable(f"{name} was not written: {_named(error)}") from error

    async def get(self, name: str) -> bytes | None:
        """Give an object's bytes, None when there is no such object."""
        try:
            found = await obstore.get_async(self._store, name)
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None
        except _AWAY as error:
            raise ArchiveUnavailable(f"{name} was not read: {_named(error)}") from error

    async def remove(self, name: str) -> None:
        """Remove an object, if it is there."""
        try:
            await obstore.delete_async(self._store, name)
        except FileNotFoundError:
            return
        except _AWAY as error:
            raise ArchiveUnavailable(f"{name} was not removed: {_named(error)}") from error

    async def names(self, prefix: str) -> Sequence[str]:
        """List the objects below a folder by name, in order of name."""
        try:
            found = [
                str(one["path"])
                async for batch in obstore.list(self._store, prefix=prefix)
                for one in batch
            ]
        except _AWAY as error:
            raise ArchiveUnavailable(f"{prefix} was not listed: {_named(error)}") from error
        return sorted(found)

    async def folders(self, prefix: str) -> Sequence[str]:
        """List the folders right below a folder, in order of name."""
        try:
            found = await obstore.list_with_delimiter_async(self._store, prefix=prefix)
        except FileNotFoundError:
            return []
        except _AWAY as error:
            raise ArchiveUnavailable(f"{prefix} was not listed: {_named(error)}") from error
        return sorted(str(one) for one in found["common_prefixes"])

    async def _sync(self, name: str) -> None:
        """Have a folder's disk keep the object: obstore leaves that to the operating system."""
        if self._folder is not None:
            await asyncio.to_thread(_to_disk, self._folder / name)


def _to_disk(file: Path) -> None:
    for path in (file, file.parent):
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _named(error: BaseException) -> str:
    return type(error).__name__
