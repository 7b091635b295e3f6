"""Checks what callers send, field by field; a refusal names the field, never what was in it."""

import re
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeVar

from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from runtime.refusal import field_invalid
from sealing.normalisation import InvalidPhone, normal_phone

from conversations.domain.conversation import Channel

LONGEST_TEXT: Final = 4096
LONGEST_LEG_SECONDS: Final = 24 * 60 * 60
_NANOSECONDS: Final = 1_000_000_000
_UUID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_KEYS = re.compile(r"[0-9*#A-D]{1,32}")
_SESSION = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_CODE = re.compile(r"[0-9A-Z]{4,16}")
_ETAG = re.compile(r"0|[1-9][0-9]{0,17}")
_WORDS = TypeVar("_WORDS", bound=StrEnum)


def resource_name(value: str, collection: str, field: str) -> str:
    if re.fullmatch(rf"{collection}/{_UUID}", value) is None:
        raise field_invalid(field, f'a name as "{collection}/{{id}}"')
    return value


def text(value: str, field: str, *, optional: bool = False) -> str:
    if len(value) > LONGEST_TEXT or not (value or optional):
        raise field_invalid(field, f"1 to {LONGEST_TEXT} characters")
    return value


def address(value: str, channel: Channel) -> str:
    """Give a phone number as E.164, a chat session's id as it is."""
    if channel is Channel.CHAT:
        if _SESSION.fullmatch(value) is None:
            raise field_invalid("address", "a chat session's id: 1 to 128 of A-Z a-z 0-9 . _ : -")
        return value
    try:
        return normal_phone(value)
    except InvalidPhone:
        raise field_invalid("address", "a phone number, E.164") from None


def keys(value: str) -> str:
    if _KEYS.fullmatch(value) is None:
        raise field_invalid("keys", "1 to 32 of 0-9 * # A-D")
    return value


def one_time_code(value: str) -> str:
    if _CODE.fullmatch(value) is None:
        raise field_invalid("one_time_code", "4 to 16 of 0-9 A-Z")
    return value


def etag(value: str) -> int | None:
    """Give the revision that was read, None for whatever it is."""
    if not value:
        return None
    if _ETAG.fullmatch(value) is None:
        raise field_invalid("etag", "an etag as it was read, or nothing")
    return int(value)


def one_of(words: type[_WORDS], value: str, field: str) -> _WORDS:
    if value not in words.__members__:
        raise field_invalid(field, f"one of {', '.join(words)}")
    return words(value)


def start_offset(value: Duration) -> Duration:
    """Take where a line begins, within the longest call; a leg's start when it is not set."""
    if not (0 <= value.seconds <= LONGEST_LEG_SECONDS and 0 <= value.nanos < _NANOSECONDS):
        raise field_invalid("start_offset", "a duration from 0 to 24 hours")
    return value


def moment(value: Timestamp, field: str) -> datetime:
    try:
        return value.ToDatetime(UTC)
    except (ValueError, OverflowError):
        raise field_invalid(field, "a time") from None
