"""How the counts of every test grew, for a drawing: a look names one test of a metric, and not always the same."""

from __future__ import annotations

from collections.abc import Mapping

from gauntlet.delivery.analysis.state import Evidence, Glance, Memory

MOST_GLANCES = 32
"""Glances kept; when there are more, every second of them goes."""

Counted = tuple[float, float, float, float]
"""Hits and requests of the candidate, hits and requests of the stable version, since the rollout began."""


def glanced(trail: tuple[Glance, ...], evidence: Mapping[str, Evidence], at: float) -> tuple[Glance, ...]:
    """The trail with one more glance at every metric that has several tests.

    Args:
        trail: oldest first.
        evidence: by metric, as it is now.
        at: seconds since the epoch.
    """
    several = {name: one.tallies.values() for name, one in evidence.items() if len(one.tallies) > 1}
    if not several:
        return trail
    counts = {name: tuple((*one.canary, *one.stable) for one in tallies) for name, tallies in several.items()}
    longer = (*trail, Glance(at, counts))
    return longer if len(longer) <= MOST_GLANCES else (*longer[:-1:2], longer[-1])


def followed(
    memory: Memory, metric: str, canary: tuple[float, float], stable: tuple[float, float]
) -> tuple[str, tuple[tuple[float, Counted], ...]]:
    """The test of a metric that now has these counts, and its counts at every glance.

    Args:
        memory: of the judge.
        metric: its name.
        canary: (hits, requests) of the candidate, as the newest look told them.
        stable: the same of the stable version.

    Returns:
        The test, and (seconds since the epoch, counts), oldest first; empty where the metric has one test, or none
        that has these counts.
    """
    trail = [one for one in memory.trail if metric in one.counts]
    names = list(memory.evidence[metric].tallies) if metric in memory.evidence else []
    newest = trail[-1].counts[metric] if trail else ()
    if len(newest) != len(names) or (*canary, *stable) not in newest:
        return "", ()
    leading = newest.index((*canary, *stable))
    return names[leading], tuple((one.at, one.counts[metric][leading]) for one in trail)
