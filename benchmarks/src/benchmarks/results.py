"""Where runs are kept, so that figures stay beside what they were measured on."""

from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[2] / "results"


def keep(name: str, content: str, folder: Path = RESULTS) -> Path:
    """Write JSON to a file named by what ran and the time (UTC), and return it."""
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    file.write_text(content, encoding="utf-8")
    return file
