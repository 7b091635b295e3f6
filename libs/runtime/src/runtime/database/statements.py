"""SQL of a package, a file a statement."""

from functools import cache
from importlib.resources import files

from sqlalchemy import TextClause, text


@cache
def statement_of(package: str, name: str) -> TextClause:
    """Read `sql/<name>.sql` of a package, as "identity.adapters"."""
    return text((files(package) / "sql" / f"{name}.sql").read_text(encoding="utf-8"))
