"""What a process of the oracle is told when it is spawned."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

_POOL = 20


@dataclass(frozen=True, slots=True)
class Assignment:
    """`name` shows as the connections' application name, `folder` is where journals go.

    The end is announced by a file: what processes share in memory, a SIGKILL can leave locked.
    """

    name: str
    url: str
    schema: str
    folder: Path
    seed: int

    @property
    def is_over(self) -> bool:
        return self._end.exists()

    def end(self) -> None:
        self._end.touch()

    def engine(self) -> AsyncEngine:
        return create_async_engine(
            self.url,
            pool_size=_POOL,
            connect_args={
                "server_settings": {"application_name": self.name, "careline.tenant": "*"}
            },
        )

    @property
    def _end(self) -> Path:
        return self.folder / "end"
