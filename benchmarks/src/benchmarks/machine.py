"""What the figures were measured on, and at which commit."""

import os
import platform
import subprocess
from pathlib import Path

_CPU_INFO = Path("/proc/cpuinfo")


def machine() -> str:
    """Say in one line: processors, system, Python, and the load (1 minute) at this moment."""
    cores = len(os.sched_getaffinity(0))
    return (
        f"{cores} cores of {_processor()}, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, load {os.getloadavg()[0]:.2f}"
    )


def commit() -> str:
    """Name the commit that is checked out here, with "+" when files differ from it."""
    described = _git("describe", "--always", "--abbrev=12", "--dirty=+")
    return described or "unknown"


def _processor() -> str:
    for line in _CPU_INFO.read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the arguments above
            ("git", *arguments),  # noqa: S607 - whichever git there is
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError:
        return ""
    return done.stdout.strip()
