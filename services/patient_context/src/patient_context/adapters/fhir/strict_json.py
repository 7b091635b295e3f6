"""JSON as RFC 8259 and FHIR have it: no repeated names, no NaN, bounded nesting."""

import json
from json import JSONDecodeError
from typing import Any, Final, NoReturn

from patient_context.adapters.fhir.not_fhir import NotFhir

LARGEST_RESOURCE: Final = 4 * 1024 * 1024
"""Characters, or bytes, of one resource at most: what is parsed in one go."""


def decode_at(text: str, at: int, path: str) -> tuple[Any, int]:
    """Read one value and give where it ends.

    Raises JSONDecodeError for what is no JSON, or not whole yet, and NotFhir for what never will be
    good. A number at the very end of the text may go on.
    """
    try:
        return _DECODER.raw_decode(text, at)
    except RecursionError:
        raise NotFhir(path, "nested too deep") from None
    except _NotAllowed as error:
        raise NotFhir(path, str(error)) from None
    except JSONDecodeError:
        raise
    except ValueError:
        raise NotFhir(path, "a number of too many digits") from None


def decode_whole(text: str) -> Any:  # noqa: ANN401  any JSON value
    """Read a text that is one value; raises NotFhir."""
    begin = len(text) - len(text.lstrip(_SPACE))
    try:
        value, end = decode_at(text, begin, "")
    except JSONDecodeError:
        raise NotFhir("", "not JSON") from None
    if text[end:].strip(_SPACE):
        raise NotFhir("", "not JSON: more follows where it should end")
    return value


class _NotAllowed(Exception):
    """JSON that Python reads and FHIR does not know."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise _NotAllowed("an object that names a field twice")
    return members


def _refuse(_: str) -> NoReturn:
    raise _NotAllowed("a number that is none")


_SPACE: Final = " \t\r\n"
_DECODER: Final = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)
