"""The script that begins a build of a projection, for its schema's owner."""

from importlib.resources import files

from eventstore.postgres.builds import BuildState
from eventstore.postgres.statements import fill, identifier
from eventstore.projection import Built


def build_script(
    schema: str,
    runtime_role: str,
    projection: Built,
    *,
    number: int = 1,
    state: BuildState = BuildState.BUILDING,
    until: int | None = None,
) -> str:
    """Give statements that make a place, the projection's tables in it, and the build's row.

    Raises ValueError for names that are more than names.
    """
    identifier(projection.name)
    place = f"{schema}_{projection.name}_b{number}"
    places = {
        "schema": identifier(schema),
        "place": identifier(place),
        "place_name": place,
        "runtime_role": identifier(runtime_role),
        "projection": projection.name,
        "build": str(number),
        "version": str(projection.version),
        "state": state,
        "until": "null" if until is None else str(until),
    }
    begin = fill(files("eventstore.postgres") / "make_build.sql", places)
    tables = {"schema": identifier(place), "runtime_role": identifier(runtime_role)}
    return begin + fill(projection.model.script, tables)
