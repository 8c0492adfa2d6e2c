"""History of each test's counts, for the report; thinned to 32 samples."""

from __future__ import annotations

from collections.abc import Mapping

from gauntlet.delivery.analysis.state import AnalysisState, CountSample, Evidence

MOST_SAMPLES = 32
"""Samples kept; when there are more, every second one is dropped."""

Counted = tuple[float, float, float, float]
"""Hits and requests of the candidate, hits and requests of the stable version, since the rollout began."""


def append_sample(
    history: tuple[CountSample, ...], evidence: Mapping[str, Evidence], at: float
) -> tuple[CountSample, ...]:
    """Append a sample of every metric that has several tests.

    Args:
        history: oldest first.
        evidence: by metric, as it is now.
        at: seconds since the epoch.
    """
    several = {name: metric.tallies.values() for name, metric in evidence.items() if len(metric.tallies) > 1}
    if not several:
        return history
    counts = {name: tuple((*tally.canary, *tally.stable) for tally in tallies) for name, tallies in several.items()}
    longer = (*history, CountSample(at, counts))
    return longer if len(longer) <= MOST_SAMPLES else (*longer[:-1:2], longer[-1])


def series_of(state: AnalysisState, metric: str, test: str) -> tuple[tuple[float, Counted], ...]:
    """(seconds since the epoch, counts) of a metric's test at every sample, oldest first.

    Empty where the metric has one test, or no such test.
    """
    samples = [sample for sample in state.history if metric in sample.counts]
    tests = list(state.evidence[metric].tallies) if metric in state.evidence else []
    if not samples or test not in tests:
        return ()
    index = tests.index(test)
    return tuple((sample.at, sample.counts[metric][index]) for sample in samples)
