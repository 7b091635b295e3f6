"""Zstandard frames; several one after another are one stream, as `zstd -d` reads it."""

import sys
from collections.abc import Mapping

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_OPTIONS: Mapping[int, int] = {zstd.CompressionParameter.checksum_flag: 1}


class CompressionMalformed(ValueError):
    """The bytes are no complete Zstandard frames."""


def compress(data: bytes) -> bytes:
    """Make one frame with a checksum of its own."""
    return zstd.compress(data, options=_OPTIONS)


def decompress(data: bytes) -> bytes:
    """Give what the frames hold together; raises CompressionMalformed.

    Frame by frame, since the library's own loop copies all that is left for each of them.
    """
    frames: list[bytes] = []
    left = memoryview(data)
    try:
        while left or not frames:
            size = zstd.get_frame_size(left)
            frames.append(zstd.decompress(left[:size]))
            left = left[size:]
    except zstd.ZstdError as error:
        raise CompressionMalformed("no complete Zstandard frames") from error
    return b"".join(frames)
