"""What the kernel says of a server's processes."""

import os
import signal
from pathlib import Path

from embedded import ServerProcess


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


def parent(folder: Path) -> str | None:
    try:
        return status(int(folder.name), "PPid")
    except (FileNotFoundError, ProcessLookupError):
        return None


def status(pid: int, field: str) -> str:
    """Return a line's value of /proc/PID/status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{field}:"))


def written_files(pid: int) -> set[Path]:
    """Find the files that the processes hold open or mapped for writing."""
    return {
        file
        for folder in family(pid)
        for file in open_files(folder) | mapped_files(folder)
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
