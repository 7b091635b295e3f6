"""Checks what callers send, field by field; a refusal names the field, never what was in it."""

import re
from datetime import timedelta
from enum import StrEnum
from typing import Final, TypeVar

from google.protobuf.duration_pb2 import Duration
from runtime.field_checks import duration_of, word_of
from runtime.refusal import field_invalid
from sealing.normalisation import InvalidPhone, normal_phone

from conversations.domain.conversation import Channel

LONGEST_TEXT: Final = 4096
LONGEST_LEG: Final = timedelta(hours=24)
_KEYS = re.compile(r"[0-9*#A-D]{1,32}")
_SESSION = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_CODE = re.compile(r"[0-9A-Z]{4,16}")
_WORDS = TypeVar("_WORDS", bound=StrEnum)


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


def one_of(words: type[_WORDS], value: str, field: str) -> _WORDS:
    return words(word_of(value, words.__members__, field))


def start_offset(value: Duration) -> Duration:
    """Take where a line begins, within the longest call; a leg's start when it is not set."""
    duration_of(
        value,
        "start_offset",
        shortest=timedelta(),
        longest=LONGEST_LEG,
        expected="a duration from 0 to 24 hours",
    )
    return value
