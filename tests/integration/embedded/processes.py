"""What the kernel says of a server's processes."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from embedded import ServerProcess

Told = TypeVar("Told")


async def crash(process: ServerProcess) -> int:
    """End it as a crash does; returns its exit status."""
    os.kill(process.pid, signal.SIGKILL)
    return await process.ended()


def family(pid: int) -> list[Path]:
    """Find the /proc folders of the process and of those it started."""
    return [
        folder
        for folder in Path("/proc").iterdir()
        if folder.name.isdigit() and str(pid) in (folder.name, parent(folder))
    ]


def told_of_family(pid: int, read: Callable[[Path], Told]) -> list[Told]:
    """Read something of each of the family; of its children, of those that live that long."""
    told = []
    for folder in family(pid):
        try:
            told.append(read(folder))
        except (FileNotFoundError, ProcessLookupError):
            if folder.name == str(pid):
                raise
    return told


def environments(pid: int) -> list[bytes]:
    return told_of_family(pid, lambda folder: (folder / "environ").read_bytes())


def command_lines(pid: int) -> list[bytes]:
    return told_of_family(pid, lambda folder: (folder / "cmdline").read_bytes())


def parent(folder: Path) -> str | None:
    try:
        return status(int(folder.name), "PPid")
    except (FileNotFoundError, ProcessLookupError):
        return None


def status(pid: int, field: str) -> str:
    """Return a line's value of /proc/PID/status."""
    return statuses(pid)[field]


def statuses(pid: int) -> dict[str, str]:
    """Return all values of /proc/PID/status, of one moment."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {field: value.strip() for field, _, value in (line.partition(":") for line in lines)}


def written_files(pid: int) -> set[Path]:
    """Find the files that the processes hold open or mapped for writing."""
    return {
        file
        for files in told_of_family(pid, lambda folder: open_files(folder) | mapped_files(folder))
        for file in files
        # Neither sockets, pipes and devices nor System V shared memory are files.
        if file.is_absolute() and not file.is_relative_to("/dev") and "/SYSV" not in str(file)
    }


def open_files(folder: Path) -> set[Path]:
    files = set()
    for link in (folder / "fd").iterdir():
        flags = int((folder / "fdinfo" / link.name).read_text().splitlines()[1].split()[1], 8)
        if flags & (os.O_WRONLY | os.O_RDWR):
            files.add(link.readlink())
    return files


def mapped_files(folder: Path) -> set[Path]:
    files = set()
    for mapping in (folder / "maps").read_text().splitlines():
        _, mode, _, _, _, *path = mapping.split(maxsplit=5)
        if "w" in mode and "s" in mode and path:
            files.add(Path(path[0]))
    return files
