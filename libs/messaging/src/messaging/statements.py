"""The SQL in `sql/`, made out for one schema."""

from collections.abc import Mapping
from importlib.resources import files

from eventstore.postgres.statements import read_statements


def load_statements(schema: str) -> Mapping[str, str]:
    """Load all statements by the name of their file. Raises ValueError for a bad schema name."""
    return read_statements(files("messaging") / "sql", schema)
