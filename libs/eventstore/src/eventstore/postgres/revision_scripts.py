"""Runs the SQL scripts of an Alembic revision, which hold several statements each."""

from pathlib import Path
from typing import cast

from alembic import context, op
from sqlalchemy import AdaptedConnection

from eventstore.postgres.build_script import build_script
from eventstore.postgres.builds import BuildState
from eventstore.postgres.statements import fill, identifier
from eventstore.projection import Built


def run_scripts(revision_file: str, **more: str) -> None:
    """Run `<revision>.sql` beside a revision, or the scripts in the folder `<revision>/` in order.

    {schema}, {runtime_role} and the places named in `more` are filled in.
    """
    places = {name: identifier(_attribute(name)) for name in ("schema", "runtime_role")} | more
    revision = Path(revision_file).with_suffix("")
    scripts = sorted(revision.glob("*.sql")) or [revision.with_suffix(".sql")]
    for script in scripts:
        _run(fill(script, places))


def first_build(projection: Built) -> None:
    """Make the first build of a projection, and have the schema's views show it."""
    schema, runtime_role = _attribute("schema"), _attribute("runtime_role")
    _run(build_script(schema, runtime_role, projection, state=BuildState.READY))
    _run(f"select {identifier(schema)}.switch_projection('{projection.name}', 1)")


def schema_of_revision() -> str:
    """Give the name of the schema that is being upgraded."""
    return _attribute("schema")


def _attribute(name: str) -> str:
    value: str = context.config.attributes[name]
    return value


def _run(script: str) -> None:
    """Run a script on the driver's connection: a prepared statement holds one statement only.

    It takes part in the transaction, which an earlier statement has begun.
    """
    adapted = cast("AdaptedConnection", op.get_bind().connection.dbapi_connection)
    adapted.run_async(lambda driver: driver.execute(script))
