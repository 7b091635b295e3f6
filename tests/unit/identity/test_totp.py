import base64
from datetime import UTC, datetime

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from identity.domain import totp

# RFC 6238, appendix B, SHA-1: the code of six digits is the end of the one of eight.
RFC_SEED = b"12345678901234567890"
RFC_VECTORS = [
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]


@pytest.mark.parametrize(("seconds", "code"), RFC_VECTORS)
def test_gives_the_codes_of_rfc_6238(seconds: int, code: str) -> None:
    step = totp.step_at(datetime.fromtimestamp(seconds, UTC))

    assert totp.code(RFC_SEED, step) == code[-6:]


@given(st.binary(min_size=16, max_size=32), st.integers(0, 2**33))
def test_agrees_with_another_implementation(seed: bytes, seconds: int) -> None:
    other = pyotp.TOTP(base64.b32encode(seed).decode())

    assert totp.code(seed, seconds // 30) == other.at(seconds)


@pytest.mark.parametrize(
    ("seconds_off", "taken"), [(-31, True), (31, True), (-61, False), (61, False)]
)
def test_takes_a_code_of_the_step_before_and_after_only(seconds_off: int, taken: bool) -> None:
    now = datetime.fromtimestamp(1234567890, UTC)
    code = totp.code(RFC_SEED, totp.step_at(now) + round(seconds_off / 30))

    step = totp.matching_step(RFC_SEED, code, now)

    assert (step is not None) is taken


@given(st.text(max_size=12))
def test_takes_any_text_and_fits_only_a_code_of_the_window(text: str) -> None:
    now = datetime.fromtimestamp(1234567890, UTC)
    codes = {totp.code(RFC_SEED, totp.step_at(now) + near) for near in (-1, 0, 1)}

    assert (totp.matching_step(RFC_SEED, text, now) is not None) is (text in codes)
