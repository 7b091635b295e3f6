"""JSON log lines that hold constant texts, listed fields and values of public shape only."""

import json
import logging
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import Enum
from typing import IO, Any, Final
from uuid import UUID

from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from opentelemetry.trace import get_current_span
from sealing.sensitivity import redact

from runtime.incident import causes_of, frames_of, type_name
from runtime.public_value import is_public_value
from runtime.request_context import request_or_none
from runtime.service_names import SERVICES

OWN_PACKAGES: Final = frozenset(
    {"runtime", "eventstore", "sealing", "messaging", "embedded", "careline_cli", *SERVICES}
)
FIELDS: Final = frozenset(
    {
        "action",
        "attempt",
        "attempts",
        "causes",
        "consumer",
        "count",
        "dependency",
        "detail",
        "during",
        "epoch",
        "error",
        "event_id",
        "event_type",
        "frames",
        "incident",
        "key",
        "lag",
        "message",
        "method",
        "port",
        "position",
        "projection",
        "purpose",
        "reason",
        "request",
        "response",
        "seconds",
        "signal",
        "source",
        "state",
        "stream",
        "subject",
        "tenant",
        "version",
    }
)
_FROM_CODE: Final = frozenset({"causes", "detail", "during", "error", "frames", "subject"})
"""Fields whose values are names in code, types, functions, files, methods, or NATS subjects, which
hold ids and no values."""
_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_NAME_IN_CODE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:[./][A-Za-z_*>][A-Za-z0-9_*>-]*)+")
_CAMEL_CASE = re.compile(r"(?:[A-Z][a-z0-9]+){2,}")
_WITHHELD: Final = "<withheld>"
_LONGEST: Final = 200


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON.

    The text of a record of our own packages is its constant template; arguments appear when they
    are numbers, ids, states or names in code. A record of another library shows its template only
    when it has arguments, for else the text may hold values: where it was made is shown instead.
    """

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, object] = {
            "time": time,
            "level": record.levelname.lower(),
            "service": self._service,
            "logger": record.name,
            "text": _text(record),
            **_context(),
            **_fields(record),
        }
        if record.exc_info and record.exc_info[1] is not None:
            causes = causes_of(record.exc_info[1])
            line["error"] = type_name(causes[0])
            line["causes"] = [type_name(cause) for cause in causes[1:]]
            line["frames"] = frames_of(causes)
        return json.dumps(line, ensure_ascii=False)


class JsonHandler(logging.StreamHandler[IO[str]]):
    """Writes JSON lines; a record that can not be written is not shown with its arguments."""

    def __init__(self, service: str, stream: IO[str] | None = None) -> None:
        super().__init__(stream or sys.stderr)
        self.setFormatter(JsonLines(service))

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """Say where the record came from and nothing of it."""
        self.stream.write(f'{{"level": "error", "text": "unwritable record of {record.name}"}}\n')


def log_as_json(service: str, level: str) -> None:
    """Make this process's log JSON lines on standard error, warnings included."""
    logging.basicConfig(level=level.upper(), handlers=[JsonHandler(service)], force=True)
    logging.captureWarnings(capture=True)
    # It warns at each retry of a request to Vault; what comes of the request is told by us.
    logging.getLogger("urllib3").setLevel(logging.ERROR)


def _text(record: logging.LogRecord) -> str:
    template = str(record.msg)
    own = record.name.partition(".")[0] in OWN_PACKAGES
    if not own and not record.args:
        return f"{record.module}:{record.lineno}"
    if not record.args:
        return template
    arguments = record.args
    try:
        if isinstance(arguments, Mapping):
            return template % {name: _shown(value) for name, value in arguments.items()}
        return template % tuple(_shown(value) for value in arguments)
    except (TypeError, ValueError, KeyError):
        return template


def _context() -> dict[str, object]:
    span = get_current_span().get_span_context()
    request = request_or_none()
    shown: dict[str, object] = {}
    if span.is_valid:
        shown["trace_id"] = f"{span.trace_id:032x}"
        shown["span_id"] = f"{span.span_id:016x}"
    if request is not None and request.tenant:
        shown["tenant"] = request.tenant
    return shown


def _fields(record: logging.LogRecord) -> dict[str, object]:
    given = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    shown: dict[str, object] = {
        name: _field(name, value) for name, value in given.items() if name in FIELDS
    }
    withheld = sorted(set(given) - FIELDS)
    if withheld:
        shown["withheld"] = withheld
    return shown


def _field(name: str, value: object) -> object:
    if name in _FROM_CODE:
        return value if isinstance(value, list) else str(value)
    return _shown(value)


def _shown(value: object) -> Any:  # noqa: ANN401  a number stays one, so that templates like %d hold
    """Give the value if its type or shape says that it is public, else a placeholder."""
    match value:
        case None | bool() | int() | float():
            return value
        case Message():
            return MessageToDict(redact(value), preserving_proto_field_name=True)
        case UUID():
            return str(value)
        case Enum() | type():
            return getattr(value, "__name__", None) or getattr(value, "name", _WITHHELD)
        case str() if len(value) <= _LONGEST and _is_public(value):
            return value
        case _:
            return _WITHHELD


def _is_public(text: str) -> bool:
    return (
        is_public_value(text)
        or _NAME_IN_CODE.fullmatch(text) is not None
        or _CAMEL_CASE.fullmatch(text) is not None
    )
