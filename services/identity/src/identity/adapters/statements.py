"""Identity's SQL, a file a statement."""

from functools import cache
from importlib.resources import files

from sqlalchemy import TextClause, text


@cache
def statement(name: str) -> TextClause:
    """Read `sql/<name>.sql`."""
    return text((files("identity.adapters") / "sql" / f"{name}.sql").read_text(encoding="utf-8"))
