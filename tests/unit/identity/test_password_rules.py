"""Which passwords are taken: length and blocklist, no composition rules."""

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st
from identity.domain.password_rules import canonical, is_acceptable

BLOCKED = frozenset((files("identity.adapters") / "password_blocklist.txt").read_text().split("\n"))
NAMES = ("r.oduya", "demo", "lakeview-clinic")


def accepted(password: str) -> bool:
    return is_acceptable(canonical(password), blocked=BLOCKED, names=NAMES)


@pytest.mark.parametrize(
    "password",
    [
        "plover kettle anvil",
        "tundrasparrow",
        "9f3bq7zx",
        "zwölf Boxkämpfer",
        "パスワードではない語句",
        "x" * 60 + "y" * 60,
    ],
)
def test_takes_what_is_long_enough_and_not_guessed_first(password: str) -> None:
    assert accepted(password)


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short77",
        "password",
        "Password1!",
        "P@ssw0rd123",
        "!!welcome2026!!",
        "qwertyuiop",
        "1q2w3e4r5t",
        "letmein!!",
        "careline2026",
        "abcdefgh",
        "87654321",
        "aaaaaaaaaa",
        "abcabcabcabc",
        "r.oduya1",
        "demo1234!",
        "lakeview-clinic",
        "Lakeview-Clinic!",
        "x" * 129,
    ],
)
def test_refuses_what_is_too_short_too_long_or_guessed_first(password: str) -> None:
    assert not accepted(password)


def test_a_long_password_may_hold_a_name() -> None:
    assert accepted("demo of nine green herons")


@given(st.text(max_size=200))
def test_takes_any_text_and_never_one_of_another_length(password: str) -> None:
    plain = canonical(password)

    if accepted(password):
        assert 8 <= len(plain) <= 128
