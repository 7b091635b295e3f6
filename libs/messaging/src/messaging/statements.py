"""The SQL in `sql/`, made out for one schema."""

from collections.abc import Mapping
from importlib.resources import files

from eventstore.postgres.statements import fill, identifier


def load_statements(schema: str) -> Mapping[str, str]:
    """Return all statements by the name of their file. Raises ValueError for a bad schema name."""
    place = {"schema": identifier(schema)}
    return {
        file.name.removesuffix(".sql"): fill(file, place)
        for file in (files("messaging") / "sql").iterdir()
        if file.name.endswith(".sql")
    }
