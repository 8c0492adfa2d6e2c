"""Selects a rollout's tests from the stable version's baseline, before the candidate gets a request."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from gauntlet.delivery.analysis.alpha import begin_panel, close_step, concurrent_test
from gauntlet.delivery.analysis.increments import total
from gauntlet.delivery.analysis.plan import AnalysisPlan, KeptPlan
from gauntlet.delivery.analysis.state import OUTCOMES, AnalysisState, Evidence, Tally, Tests
from gauntlet.delivery.counters.source import Counters
from gauntlet.delivery.evidence import histograms, scores
from gauntlet.delivery.evidence.clustering import Clustering, Scatter, design_effect, scattered
from gauntlet.delivery.evidence.counts import Counts
from gauntlet.delivery.evidence.histograms import Buckets, boundary_name, slow
from gauntlet.delivery.evidence.sequential import Direction
from gauntlet.errors import DataError

MOST_SLICES = 8
"""Slices that are tested, the busiest first: they share α, so each weakens the others."""
SLICE_BINS = 4
LEAST_SCORES = 50
"""Baseline scores that a slice needs: its quartiles are estimated from them."""


def choose(plan: AnalysisPlan, baseline: Counters) -> Tests:
    """Select the tests from the stable version's baseline.

    Args:
        plan: what the team asked for.
        baseline: stable's increase, all pods together.

    Raises:
        DataError: a required metric is not kept, or lies where nothing can be compared.
        ConfigurationError: the latency promised to users is no boundary of the histogram.
    """
    tests = Tests(())
    for name in plan.metrics:
        try:
            tests = replace(_CHOOSERS[name](tests, plan, baseline), metrics=(*tests.metrics, name))
        except DataError as error:
            block = plan.metric(name)
            if isinstance(block, KeptPlan) and block.required:
                raise
            tests = replace(tests, left_out={**tests.left_out, name: str(error)})
    if not set(tests.metrics) & set(plan.with_a_say):
        raise DataError(
            "nothing that has a say can be compared",
            field="metrics",
            value=list(tests.left_out.values())[:1],
            mend="Let the server keep its counters, or name other metrics",
        )
    return tests


def counted(tests: Tests, canary: Counters, stable: Counters) -> dict[str, dict[str, Counts]]:
    """Metric → test → its counts in an interval; without ``outcomes``, which have a source of their own.

    Raises:
        DataError: a count is impossible, or a histogram lacks a boundary.
    """
    counts: dict[str, dict[str, Counts]] = {}
    if "errors" in tests.metrics:
        counts["errors"] = {"errors": Counts(canary.errors, canary.requests, stable.errors, stable.requests)}
    if "latency" in tests.metrics:
        counts["latency"] = histograms.counts(canary.latency, stable.latency, tests.boundaries)
    if "scores" in tests.metrics:
        counts["scores"] = _score_counts(canary.scores, stable.scores, tests.edges)
    if "slices" in tests.metrics:
        counts["slices"] = {
            f"{name} {test}": sliced
            for name, edges in tests.slices.items()
            for test, sliced in _score_counts(canary.sliced.get(name, {}), stable.sliced.get(name, {}), edges).items()
        }
    return counts


def kept(tests: Tests, counters: Counters) -> Counters:
    """Drop the buckets that no test needs.

    Raises:
        DataError: a histogram lacks a boundary that is tested.
    """
    return replace(
        counters,
        latency=_narrowed(counters.latency, tests.boundaries, "latency"),
        scores=_narrowed(counters.scores, tests.edges, "scores"),
        sliced={name: _narrowed(counters.sliced.get(name, {}), edges, name) for name, edges in tests.slices.items()},
    )


def _errors(tests: Tests, plan: AnalysisPlan, baseline: Counters) -> Tests:
    return tests


def _latency(tests: Tests, plan: AnalysisPlan, baseline: Counters) -> Tests:
    if not baseline.latency:
        raise _not_kept("latency", "a histogram of seconds")
    try:
        chosen = histograms.eligible(baseline.latency, objective=plan.latency.objective_seconds)
    except DataError:
        # Nearly everything is faster than some boundary: above the first such, a slow canary shows all the same.
        total = baseline.latency[math.inf]
        above = ((boundary, total - count) for boundary, count in sorted(baseline.latency.items()))
        first = next(boundary for boundary, slower in above if slower <= histograms.MOST_TAIL * total)
        if not math.isfinite(first):
            raise
        chosen = (first,)
    return replace(tests, boundaries=chosen)


def _scores(tests: Tests, plan: AnalysisPlan, baseline: Counters) -> Tests:
    if not baseline.scores:
        raise _not_kept("scores", "a histogram of scores")
    return replace(tests, edges=scores.histogram_edges(baseline.scores))


def _slices(tests: Tests, plan: AnalysisPlan, baseline: Counters) -> Tests:
    busy = sorted(baseline.sliced, key=lambda name: (-baseline.sliced[name].get(math.inf, 0.0), name))
    edges: dict[str, tuple[float, ...]] = {}
    for name in busy:
        if baseline.sliced[name].get(math.inf, 0.0) < LEAST_SCORES or len(edges) == MOST_SLICES:
            break
        try:
            edges[name] = scores.histogram_edges(baseline.sliced[name], bins=SLICE_BINS)
        except DataError:
            continue  # a group whose scores all fall into one bucket has no quartiles
    if not edges:
        raise _not_kept("slices", f"a histogram of at least {LEAST_SCORES} scores in any group")
    return replace(tests, slices=edges)


_CHOOSERS: Mapping[str, Callable[[Tests, AnalysisPlan, Counters], Tests]] = {
    "errors": _errors,
    "latency": _latency,
    "scores": _scores,
    "slices": _slices,
    "outcomes": _errors,
}


def _not_kept(name: str, what: str) -> DataError:
    return DataError(
        f"the stable version keeps no {what.removeprefix('a ')}",
        field=name,
        mend=f"Keep it, or take {name} out of metrics",
    )


def _score_counts(canary: Buckets, stable: Buckets, edges: tuple[float, ...]) -> dict[str, Counts]:
    def above(buckets: Buckets) -> tuple[list[int], int]:
        return [int(histograms.slow(buckets, edge)[0]) for edge in edges], int(buckets.get(math.inf, 0.0))

    return scores.counts(above(canary), above(stable), edges)


def _narrowed(buckets: Buckets, boundaries: tuple[float, ...], name: str) -> Buckets:
    if not buckets or not boundaries:
        return {}
    for boundary in boundaries:
        if boundary not in buckets:
            raise DataError(
                "has no such boundary", field=name, value=boundary, mend="Give all revisions the same buckets"
            )
    return {boundary: buckets[boundary] for boundary in (*boundaries, math.inf) if boundary in buckets}


def update_baseline(state: AnalysisState, pods: Mapping[str, Counters]) -> AnalysisState:
    """Add one more interval to stable's baseline.

    Args:
        state: that of the intervals before.
        pods: what each of stable's pods counted in the interval (``increments``).
    """
    scatters = dict(state.scatters)
    for name, (hits, requests) in _by_pod(pods).items():
        scatters[name] = scattered(scatters.get(name, Scatter()), hits, requests)
    return replace(state, baseline=total({"before": state.baseline, **pods}), scatters=scatters)


def begin_tests(state: AnalysisState, plan: AnalysisPlan) -> AnalysisState:
    """Choose the tests and begin them; the baseline's counters are dropped.

    Raises:
        DataError, ConfigurationError: as ``tests.choose``.
    """
    tests = choose(plan, state.baseline)
    before = {
        metric: {name: (counts.stable_hits, counts.stable_requests) for name, counts in panel.items()}
        for metric, panel in counted(tests, Counters(0.0, 0.0), state.baseline).items()
    }
    if OUTCOMES in tests.metrics:
        before[OUTCOMES] = {OUTCOMES: (0.0, 0.0)}
    evidence = {
        metric: _begun(metric, before[metric], _clustering(metric, tests, state, plan), plan, state.steps)
        for metric in tests.metrics
    }
    return replace(
        state,
        tests=tests,
        evidence=evidence,
        baseline=Counters(0.0, 0.0),
        scatters={},
        candidate={pod: kept(tests, counters) for pod, counters in state.candidate.items()},
        stable={pod: kept(tests, counters) for pod, counters in state.stable.items()},
    )


def _begun(
    metric: str, before: Mapping[str, tuple[float, float]], clustering: Clustering, plan: AnalysisPlan, steps: int
) -> Evidence:
    harm, safe = (concurrent_test(plan, metric, direction, phi=clustering.phi, steps=steps) for direction in Direction)
    return Evidence(
        clustering.phi,
        clustering.reason,
        begin_panel(harm, before),
        begin_panel(safe, before),
        tallies={name: close_step(Tally(before=pair, stable_step=pair)) for name, pair in before.items()},
    )


def _clustering(metric: str, tests: Tests, state: AnalysisState, plan: AnalysisPlan) -> Clustering:
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
    effects = [design_effect(state.scatters.get(name, Scatter())) for name in names]
    estimated = [effect for effect in effects if not effect.assumed]
    return max(estimated or effects or [design_effect(Scatter())], key=lambda effect: effect.phi)


def _by_pod(pods: Mapping[str, Counters]) -> dict[str, tuple[list[float], list[float]]]:
    """Possible test → (hits, requests) of the pods."""
    counts: dict[str, tuple[list[float], list[float]]] = {}
    for counters in pods.values():
        for name, hits, requests in _hits(counters):
            pod_hits, pod_requests = counts.setdefault(name, ([], []))
            pod_hits.append(hits)
            pod_requests.append(requests)
    return counts


def _hits(pod: Counters) -> Iterator[tuple[str, float, float]]:
    yield "errors", pod.errors, pod.requests
    for prefix, buckets in (("", pod.latency), ("above ", pod.scores)):
        for boundary in buckets:
            if math.isfinite(boundary):
                name = f"{prefix}{boundary!r}" if prefix else boundary_name(boundary)
                yield name, *slow(buckets, boundary)
