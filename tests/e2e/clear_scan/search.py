"""Looks for all variants of all needles at once."""

import hashlib
import re
from collections.abc import Iterable
from itertools import groupby

from e2e.clear_scan.needles import Needle
from e2e.clear_scan.variants import variants

# Database files are mostly zeros; no variant has as many in a row.
ZEROS = re.compile(rb"\0{16,}")


class Search:
    """Searches content for needles; what was found clean is not searched again, so that files that
    are there several times, or in every state of a platform, cost once.
    """

    def __init__(self, needles: Iterable[Needle]) -> None:
        self._variants = {needle: variants(needle) for needle in needles}
        every = sorted(set().union(*self._variants.values()))
        self._any = re.compile(_trie(every), re.DOTALL)
        self._clean: set[bytes] = set()

    def needles_in(self, content: bytes) -> frozenset[Needle]:
        digest = hashlib.blake2b(content, digest_size=16).digest()
        if digest in self._clean:
            return frozenset()
        lowered = ZEROS.sub(bytes(16), content).lower()
        if self._any.search(lowered) is None:
            self._clean.add(digest)
            return frozenset()
        return frozenset(
            needle
            for needle, spelled in self._variants.items()
            if any(variant in lowered for variant in spelled)
        )


def _trie(texts: list[bytes]) -> bytes:
    """Write sorted texts as one expression in which each byte is compared once."""
    prefix = _common_prefix(texts[0], texts[-1])
    rest = [text[len(prefix) :] for text in texts]
    if rest[0] == b"":  # and what is longer is found by it, too
        return re.escape(prefix)
    branches = [_trie(list(group)) for _, group in groupby(rest, key=lambda text: text[:1])]
    return re.escape(prefix) + b"(?:" + b"|".join(branches) + b")"


def _common_prefix(first: bytes, last: bytes) -> bytes:
    length = 0
    while length < min(len(first), len(last)) and first[length] == last[length]:
        length += 1
    return first[:length]
