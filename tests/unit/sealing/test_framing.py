"""Several values in one byte string."""

from hypothesis import given
from hypothesis import strategies as st
from sealing.framing import framed

PARTS = st.lists(st.binary(max_size=6) | st.text(max_size=4), max_size=4)


def test_moving_a_border_gives_other_bytes() -> None:
    assert framed("ab", "c") != framed("a", "bc")
    assert framed("ab") != framed("ab", "")


@given(PARTS, PARTS)
def test_other_values_give_other_bytes(left: list[bytes | str], right: list[bytes | str]) -> None:
    def octets(parts: list[bytes | str]) -> list[bytes]:
        return [part.encode() if isinstance(part, str) else part for part in parts]

    assert (framed(*left) == framed(*right)) == (octets(left) == octets(right))
