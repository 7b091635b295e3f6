"""The texts that a session is gone on with."""

import secrets
from uuid import uuid4

from hypothesis import given
from hypothesis import strategies as st
from identity.application.session_tokens import (
    KEY_BYTES,
    SessionToken,
    TokenKind,
    make_token,
    read_token,
)

KEY = secrets.token_bytes(KEY_BYTES)
SESSION = f"sessions/{uuid4()}"


@given(st.sampled_from(TokenKind), st.integers(0, 10**9 - 1))
def test_what_was_made_is_read_and_holds(kind: TokenKind, number: int) -> None:
    token = read_token(make_token(kind, "demo", SESSION, number, KEY), kind)

    assert token is not None
    assert (token.tenant, token.session, token.number) == ("demo", SESSION, number)
    assert token.holds(KEY)
    assert not token.holds(secrets.token_bytes(KEY_BYTES))


@given(st.integers(0, 100), st.integers(0, 100))
def test_a_proof_is_of_one_number_kind_session_and_tenant(one: int, other: int) -> None:
    token = read_token(make_token(TokenKind.REFRESH, "demo", SESSION, one, KEY), TokenKind.REFRESH)
    assert token is not None

    moved = [
        SessionToken(TokenKind.REFRESH, "demo", SESSION, other, token.proof),
        SessionToken(TokenKind.FACTOR, "demo", SESSION, one, token.proof),
        SessionToken(TokenKind.REFRESH, "other", SESSION, one, token.proof),
        SessionToken(TokenKind.REFRESH, "demo", f"sessions/{uuid4()}", one, token.proof),
    ]

    assert [each.holds(KEY) for each in moved] == [one == other, False, False, False]


def test_a_token_of_one_kind_is_not_read_as_another() -> None:
    text = make_token(TokenKind.FACTOR, "demo", SESSION, 0, KEY)

    assert read_token(text, TokenKind.REFRESH) is None


@given(st.text(max_size=300))
def test_any_other_text_is_no_token(text: str) -> None:
    assert read_token(text, TokenKind.FACTOR) is None


@given(st.text(max_size=200))
def test_a_made_up_proof_never_holds(proof: str) -> None:
    assert not SessionToken(TokenKind.FACTOR, "demo", SESSION, 0, proof.encode().hex()).holds(KEY)
