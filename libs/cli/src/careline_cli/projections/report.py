"""What is known of builds of read models, for machines and for people."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass

from eventstore.event_log import Head
from eventstore.postgres.builds import Build
from eventstore.rebuilding.comparison import TableDifference
from eventstore.rebuilding.rebuild import Rebuilt


@dataclass(frozen=True, slots=True)
class Listed:
    """A build of a service's read model, its size in bytes, and where its log is."""

    service: str
    build: Build
    size: int
    head: Head

    @property
    def lag(self) -> int:
        """Count the positions that it lacks, up to the point that it is for."""
        wanted = self.head.position if self.build.until is None else self.build.until
        return max(wanted - self.build.at.position, 0)


def listed_as_json(one: Listed) -> dict[str, object]:
    """Give all that is known of a build."""
    return {
        "service": one.service,
        **built_as_json(one.build),
        "head": one.head.position,
        "lag": one.lag,
        "restored_since": one.build.at.epoch != one.head.epoch,
        "size_bytes": one.size,
    }


def built_as_json(build: Build) -> dict[str, object]:
    return {
        "projection": build.projection,
        "build": build.number,
        "version": build.version,
        "state": build.state,
        "schema": build.place,
        "until": build.until,
        "epoch": build.at.epoch,
        "position": build.at.position,
    }


def rebuilt_as_json(rebuilt: Rebuilt) -> dict[str, object]:
    """Give what a rebuild was compared with and how it came out."""
    return {
        **built_as_json(rebuilt.build),
        "verified": rebuilt.verified,
        "against": rebuilt.against,
        "tables": [asdict(one) | {"equal": one.equal} for one in rebuilt.differences],
        "to_live": [asdict(one) for one in rebuilt.to_live],
    }


def rebuilt_lines(service: str, rebuilt: Rebuilt) -> Iterator[str]:
    """Tell in lines how a rebuild came out, and what to do next."""
    build = rebuilt.build
    name = f"build {build.number} of {build.projection}"
    for one in rebuilt.differences:
        yield f"{one.table}: {one.new_rows} rows, {_verdict(one)} the {rebuilt.against}"
    for one in rebuilt.to_live:
        yield f"{one.table}, against the live build: {_numbers(one)}"
    if rebuilt.verified:
        yield (
            f"{name} is ready at position {build.at.position}; make it live with: careline "
            f"projections switch {build.projection} --service {service}"
        )
    else:
        yield f"{name} is not verified and cannot be switched to; it stays in schema {build.place}"


def _verdict(one: TableDifference) -> str:
    return "equal to" if one.equal else f"NOT equal ({_numbers(one)}) to"


def _numbers(one: TableDifference) -> str:
    return f"{one.only_old} rows only there, {one.only_new} only new, {one.changed} changed"
