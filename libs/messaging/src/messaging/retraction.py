"""What a restored log took back."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Retraction:
    """Events of `source` that a consumer handled and that are no more.

    They were at positions above `after` and up to `until` in `from_epoch`; the log is in `to_epoch`
    now. What it has up to `after` stands.
    """

    source: str
    from_epoch: int
    to_epoch: int
    after: int
    until: int
