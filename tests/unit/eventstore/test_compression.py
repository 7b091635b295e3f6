import os

import pytest
from eventstore.archive.compression import CompressionMalformed, compress, decompress

FRAMES = [compress(part) for part in (b"one", b"", os.urandom(100_000))]
WHOLE = b"".join(FRAMES)


def test_frames_are_unpacked_one_after_another() -> None:
    assert decompress(WHOLE)[:3] == b"one"
    assert len(decompress(WHOLE)) == 100_003


@pytest.mark.parametrize(
    "data",
    [b"", WHOLE[:-1], WHOLE[:20], WHOLE + b"x", b"x" + WHOLE, WHOLE[:-1] + bytes([WHOLE[-1] ^ 1])],
    ids=["nothing", "cut", "cut early", "more behind", "more before", "checksum"],
)
def test_what_is_no_row_of_whole_frames_is_refused(data: bytes) -> None:
    with pytest.raises(CompressionMalformed):
        decompress(data)
