"""What a drill found, for machines and for people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eventstore.testing.percentile import percentile

from careline_cli.drill.journals import Journals
from careline_cli.drill.lags import Look, lags
from careline_cli.drill.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Report:
    """One drill; `phases` are the seconds of each step from the kill on."""

    name: str
    verdict: Verdict
    rto_seconds: float
    events: int
    phases: Mapping[str, float]
    stream_looks: Sequence[Look]
    archive_looks: Sequence[Look]
    journals: Journals

    def as_json(self) -> dict[str, object]:
        verdict = self.verdict
        relay = lags(self.journals.acknowledged, self.stream_looks)
        archive = lags(self.journals.acknowledged, self.archive_looks)
        return {
            "name": self.name,
            "acknowledged": dict(verdict.acknowledged),
            "lost": dict(verdict.lost),
            "newest_lost_age_seconds": _rounded(verdict.newest_lost_age_seconds),
            "doubled": verdict.doubled,
            "reordered": verdict.reordered,
            "readable_after_erasure": verdict.readable_after_erasure,
            "rpo_seconds": _rounded(verdict.rpo_seconds),
            "rto_seconds": _rounded(self.rto_seconds),
            "passed": verdict.passed,
            "reasons": list(verdict.reasons),
            "rate": verdict.rate,
            "preloaded": self.events,
            "given_up": verdict.given_up,
            "unanswered": len(self.journals.asked) - len(self.journals.acknowledged),
            "tried_after_erasure": verdict.tried_after_erasure,
            "altered": verdict.altered,
            "unreadable": verdict.unreadable,
            "relay_lag_p50_seconds": _percentile(relay, 50),
            "relay_lag_p99_seconds": _percentile(relay, 99),
            "archive_lag_p50_seconds": _percentile(archive, 50),
            "archive_lag_p99_seconds": _percentile(archive, 99),
            "phases": {name: _rounded(seconds) for name, seconds in self.phases.items()},
        }


def failed(name: str, reason: str) -> dict[str, object]:
    """Give the report of a drill that a step of it kept from a verdict."""
    return {"name": name, "passed": False, "reasons": [reason]}


def _percentile(lags: Sequence[float], percent: float) -> float | None:
    return _rounded(percentile(lags, percent)) if lags else None


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
