"""How long to wait between tries."""

from eventstore.backoff import Backoff


def test_pauses_grow_are_bounded_and_vary() -> None:
    backoff = Backoff(first=0.1, longest=3.0)
    for failures, longest in ((1, 0.1), (2, 0.2), (5, 1.6), (9, 3.0), (10_000, 3.0)):
        pauses = {backoff.after(failures) for _ in range(50)}
        assert longest / 2 <= min(pauses)
        assert max(pauses) <= longest
        assert len(pauses) > 1
