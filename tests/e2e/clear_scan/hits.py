"""What a scan found, and where."""

from collections import defaultdict
from collections.abc import AsyncIterable, Iterable, Mapping

from e2e.clear_scan.needles import Needle
from e2e.clear_scan.piece import Piece
from e2e.clear_scan.search import Search


class Hits:
    """Needles by store and place; what was looked through is counted by store."""

    def __init__(self, search: Search) -> None:
        self._search = search
        self.found: defaultdict[tuple[str, str], set[Needle]] = defaultdict(set)
        self.searched: defaultdict[str, int] = defaultdict(int)

    def look_through(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self._look_at(piece)

    async def look_through_all(self, pieces: AsyncIterable[Piece]) -> None:
        async for piece in pieces:
            self._look_at(piece)

    @property
    def by_store(self) -> Mapping[str, frozenset[Needle]]:
        needles: defaultdict[str, set[Needle]] = defaultdict(set)
        for (store, _), found in self.found.items():
            needles[store] |= found
        return {store: frozenset(found) for store, found in needles.items()}

    def _look_at(self, piece: Piece) -> None:
        self.searched[piece.store] += len(piece.content)
        needles = self._search.needles_in(piece.content)
        if needles:
            self.found[piece.store, piece.place] |= needles
