"""Which values may stand in errors, logs and spans: ids, states, counts and times, by shape."""

import re
from collections.abc import Mapping
from typing import Final

_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_KEY = re.compile(r"[a-z][a-z0-9_]{0,47}")
_VALUE = re.compile(
    "|".join(
        (
            r"[a-z]+(?:_[a-z]+)*",
            r"[A-Z]+(?:_[A-Z]+)*",
            r"-?[0-9]{1,6}(?:\.[0-9]{1,6})?",
            _UUID,
            rf"[a-z][A-Za-z]{{1,30}}/(?:{_UUID}|[a-z]+(?:[_-][a-z]+)*)",
            r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|\+00:00)",
        )
    )
)
_LONGEST: Final = 128


def is_public_value(value: str) -> bool:
    """Tell whether a text has the shape of a state, a count, an id, a resource name or a time."""
    return len(value) <= _LONGEST and _VALUE.fullmatch(value) is not None


def public_metadata(metadata: Mapping[str, str]) -> dict[str, str]:
    """Keep what may leave; the rest is left out, for an error must not tell who it is about."""
    return {
        key: value
        for key, value in metadata.items()
        if _KEY.fullmatch(key) and is_public_value(value)
    }
