"""What stable does before the candidate gets a request: rates to bet around, tests to make, how requests cluster."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

from gauntlet.delivery.analysis.alpha import begin_panel, beside_test
from gauntlet.delivery.analysis.full_traffic import step_over
from gauntlet.delivery.analysis.increments import total
from gauntlet.delivery.analysis.plan import AnalysisPlan
from gauntlet.delivery.analysis.state import OUTCOMES, Evidence, Memory, Tally
from gauntlet.delivery.analysis.tests import Tests, choose, counted, kept
from gauntlet.delivery.counters.source import Counters
from gauntlet.delivery.evidence.clustering import Clustering, Scatter, design_effect, scattered
from gauntlet.delivery.evidence.histograms import boundary_name, slow
from gauntlet.delivery.evidence.sequential import Direction


def watched(memory: Memory, pods: Mapping[str, Counters]) -> Memory:
    """The memory with one more interval of stable's baseline.

    Args:
        memory: that of the intervals before.
        pods: what each of stable's pods counted in the interval (``increments``).
    """
    scatters = dict(memory.scatters)
    for name, (hits, requests) in _by_pod(pods).items():
        scatters[name] = scattered(scatters.get(name, Scatter()), hits, requests)
    return replace(memory, baseline=total({"before": memory.baseline, **pods}), scatters=scatters)


def begin_tests(memory: Memory, plan: AnalysisPlan) -> Memory:
    """The memory with tests chosen and begun; the baseline, as such, is forgotten.

    Raises:
        DataError, ConfigurationError: as ``panels.choose``.
    """
    tests = choose(plan, memory.baseline)
    before = {
        metric: {name: (counts.stable_hits, counts.stable_requests) for name, counts in panel.items()}
        for metric, panel in counted(tests, Counters(0.0, 0.0), memory.baseline).items()
    }
    if OUTCOMES in tests.metrics:
        before[OUTCOMES] = {OUTCOMES: (0.0, 0.0)}
    evidence = {
        metric: _begun(metric, before[metric], _clustering(metric, tests, memory, plan), plan, memory.steps)
        for metric in tests.metrics
    }
    return replace(
        memory,
        tests=tests,
        evidence=evidence,
        baseline=Counters(0.0, 0.0),
        scatters={},
        candidate={pod: kept(tests, one) for pod, one in memory.candidate.items()},
        stable={pod: kept(tests, one) for pod, one in memory.stable.items()},
    )


def _begun(
    metric: str, before: Mapping[str, tuple[float, float]], found: Clustering, plan: AnalysisPlan, steps: int
) -> Evidence:
    harm, safe = (beside_test(plan, metric, direction, phi=found.phi, steps=steps) for direction in Direction)
    return Evidence(
        found.phi,
        found.reason,
        begin_panel(harm, before),
        begin_panel(safe, before),
        tallies={name: step_over(Tally(before=one, stable_step=one)) for name, one in before.items()},
    )


def _clustering(metric: str, tests: Tests, memory: Memory, plan: AnalysisPlan) -> Clustering:
    """φ of a metric: the largest that its tests' hits show; slices take that of all scores."""
    if metric == OUTCOMES and plan.outcomes.phi is not None:
        return Clustering(plan.outcomes.phi, assumed=False, reason="set by the plan")
    if plan.phi != "estimate":
        return Clustering(plan.phi, assumed=False, reason="set by the plan")
    names = {
        "errors": ["errors"],
        "latency": [boundary_name(boundary) for boundary in tests.boundaries],
        OUTCOMES: [],
    }.get(metric, [f"above {edge!r}" for edge in tests.edges])
    found = [design_effect(memory.scatters.get(name, Scatter())) for name in names]
    estimated = [one for one in found if not one.assumed]
    return max(estimated or found or [design_effect(Scatter())], key=lambda one: one.phi)


def _by_pod(pods: Mapping[str, Counters]) -> dict[str, tuple[list[float], list[float]]]:
    """What may become a test → (hits, requests) of the pods."""
    found: dict[str, tuple[list[float], list[float]]] = {}
    for one in pods.values():
        for name, hits, requests in _hits(one):
            both = found.setdefault(name, ([], []))
            both[0].append(hits)
            both[1].append(requests)
    return found


def _hits(pod: Counters) -> Iterator[tuple[str, float, float]]:
    yield "errors", pod.errors, pod.requests
    for prefix, buckets in (("", pod.latency), ("above ", pod.scores)):
        for boundary in buckets:
            if math.isfinite(boundary):
                name = f"{prefix}{boundary!r}" if prefix else boundary_name(boundary)
                yield name, *slow(buckets, boundary)
