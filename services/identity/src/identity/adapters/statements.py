"""Identity's SQL, a file a statement."""

from runtime.database.statements import statement_of
from sqlalchemy import TextClause


def statement(name: str) -> TextClause:
    """Read `sql/<name>.sql`."""
    return statement_of("identity.adapters", name)
