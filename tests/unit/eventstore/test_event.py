from dataclasses import FrozenInstanceError

import pytest
from eventstore.testing.example_events import new_event


@pytest.mark.parametrize("digest", [b"", bytes(31), bytes(33)])
def test_a_digest_is_32_bytes(digest: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        new_event(digest=digest)


@pytest.mark.parametrize("kind", ["", "a b", "a\0b", "1a", "a..b", "a."])
def test_a_type_is_the_full_name_of_a_message(kind: str) -> None:
    with pytest.raises(ValueError, match="full name"):
        new_event(kind)


def test_an_event_does_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        new_event().data = b"else"  # type: ignore[misc] # that is what is refused
