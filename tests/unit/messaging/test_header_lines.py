import pytest
from hypothesis import given
from hypothesis import strategies as st
from messaging.connect import NatsClient
from messaging.header_lines import header_lines
from nats.aio.client import Client

LINES = st.lists(
    st.binary(max_size=12) | st.sampled_from([b"a: b", b"ce-id:1", b" a\t:\xff", b":"])
)


@given(LINES.map(b"\r\n".join))
def test_headers_are_read_as_the_library_reads_them(raw: bytes) -> None:
    assert header_lines(raw) == Client._parse_header_lines(raw)


@pytest.mark.parametrize("raw", [b"", b"\r\n", b"a b: c", b"\xc3\xa4: c", b"no colon"])
def test_what_has_no_proper_name_is_passed_over(raw: bytes) -> None:
    assert header_lines(raw) == {}


def test_our_client_reads_them_so() -> None:
    assert NatsClient._parse_header_lines is header_lines
