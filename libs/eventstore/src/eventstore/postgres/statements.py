"""SQL in files, made out for one schema."""

import re
from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable

_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}")
_LOG_NUMBERS = 0x7FFF


def identifier(name: str) -> str:
    """Quote a schema's or role's name for SQL; ValueError unless it is plain lower case."""
    if _IDENTIFIER.fullmatch(name) is None:
        raise ValueError("a schema or role is named by a-z, 0-9 and _, at most 63, no digit first")
    return f'"{name}"'


def load_statements(schema: str) -> Mapping[str, str]:
    """Load all statements for the log in `schema`, by the name of their file."""
    return read_statements(files("eventstore.postgres") / "sql", schema)


def read_statements(folder: Traversable, schema: str) -> Mapping[str, str]:
    """Read a folder's statements by the name of their file; ValueError for a bad schema name."""
    place = {"schema": identifier(schema)}
    return {
        file.name.removesuffix(".sql"): fill(file, place)
        for file in folder.iterdir()
        if file.name.endswith(".sql")
    }


def fill(file: Traversable, places: Mapping[str, str]) -> str:
    """Read the file's text with `{name}` replaced for each of `places`."""
    text = file.read_text(encoding="utf-8")
    for name, value in places.items():
        text = text.replace(f"{{{name}}}", value)
    return text


def log_number(schema: str) -> int:
    """Give a database's logs numbers, to keep their floor fences apart: 1 to 32767, by schema name.

    Two logs that share a number (unlikely, and harmless) hold back each other's readers at times.
    """
    return 1 + int.from_bytes(sha256(schema.encode()).digest()[:4], "big") % _LOG_NUMBERS
