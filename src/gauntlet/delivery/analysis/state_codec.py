"""JSON of the analysis state, small enough for a ConfigMap (1 MiB a document), with room for many pods and slices.

Histograms are written as differences between neighbouring buckets, their boundaries once; processes without what their
panel shares. Floats keep all their digits.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict
from itertools import groupby, pairwise
from typing import Any

from gauntlet.delivery.analysis.increments import Exposure, LastSeen
from gauntlet.delivery.analysis.state import AnalysisState, CountSample, CustomResult, Evidence, Outcomes, Tally, Tests
from gauntlet.delivery.counters.source import Counters, Pods
from gauntlet.delivery.evidence.clustering import Scatter
from gauntlet.delivery.evidence.combination import Panel
from gauntlet.delivery.evidence.histograms import Buckets
from gauntlet.delivery.evidence.sequential import FORMAT as PROCESS_FORMAT
from gauntlet.delivery.evidence.sequential import Process
from gauntlet.errors import BrokenArtifact, GauntletError

FORMAT = "gauntlet.analysis/1"

_PANELS = ("harm", "safe", "absolute_harm", "absolute_safe")
_PAIRS = ("counted", "recent", "left_out")


def to_json(state: AnalysisState) -> str:
    """The state as it is stored."""
    bounds = _Bounds()
    document = {
        "format": FORMAT,
        **{
            name: getattr(state, name)
            for name in ("steps", "at", "step", "counted_seconds", "in_flight", "alarm", "unlabelled", "fresh")
        },
        **{name: _whole(getattr(state, name)) for name in _PAIRS},
        "culprits": list(state.culprits),
        "exposure": [
            [
                *_whole([exposure.answered]),
                {pod: _whole(last if last.pace else last[:2]) for pod, last in exposure.pods.items()},
            ]
            for exposure in state.exposure
        ],
        "candidate": {pod: bounds.written(counters) for pod, counters in state.candidate.items()},
        "stable": {pod: bounds.written(counters) for pod, counters in state.stable.items()},
        "baseline": bounds.written(state.baseline),
        "scatters": {name: list(asdict(scatter).values()) for name, scatter in state.scatters.items()},
        "tests": None if state.tests is None else asdict(state.tests),
        "evidence": {name: _evidence_written(evidence) for name, evidence in state.evidence.items()},
        "outcomes": list(asdict(state.outcomes).values()),
        "custom": {name: _custom_written(result) for name, result in state.custom.items()},
        "history": [
            [sample.at, {name: [_whole(test) for test in tests] for name, tests in sample.counts.items()}]
            for sample in state.history
        ],
    }
    return json.dumps({**document, "bounds": bounds.known}, separators=(",", ":"), allow_nan=False)


def from_json(text: str) -> AnalysisState:
    """Read a stored state back.

    Raises:
        DataError: it is no state of an analysis, or of a format this version does not know.
    """
    try:
        document = json.loads(text)
        if document["format"] != FORMAT:
            raise ValueError(f"format {document['format']!r}")
        bounds = document["bounds"]
        at, tests = document["at"], document["tests"]
        return AnalysisState(
            steps=int(document["steps"]),
            at=None if at is None else float(at),
            candidate=_pods(document["candidate"], bounds),
            stable=_pods(document["stable"], bounds),
            baseline=_counters(document["baseline"], bounds),
            scatters={name: Scatter(*values) for name, values in document["scatters"].items()},
            tests=None if tests is None else _tests(tests),
            evidence={name: _evidence(written) for name, written in document["evidence"].items()},
            step=int(document["step"]),
            counted_seconds=float(document["counted_seconds"]),
            **{
                name: _pair(document.get(name, (0.0, 0.0)) if name == "left_out" else document[name]) for name in _PAIRS
            },
            exposure=_exposures(document["exposure"]),
            in_flight=float(document["in_flight"]),
            alarm=str(document["alarm"]),
            unlabelled=str(document.get("unlabelled", "")),  # rollouts that began without it go on
            fresh=bool(document["fresh"]),
            culprits=tuple(document["culprits"]),
            outcomes=Outcomes(*map(float, document["outcomes"])),
            custom={name: _custom(written) for name, written in document["custom"].items()},
            history=tuple(_sample(*sample) for sample in document.get("history", ())),
        )
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, GauntletError) as error:
        mend = "Find out what else writes it; a rollout whose evidence is lost is rolled back"
        raise BrokenArtifact(
            "is not the state of an analysis", field="analysis_state", value=str(error), mend=mend
        ) from error


def _custom_written(result: CustomResult) -> dict[str, Any]:
    """JSON has no infinity, and a team's query may divide by zero."""
    endless = result.value is not None and math.isinf(result.value)
    return {**asdict(result), "value": str(result.value) if endless else result.value}


def _custom(written: Mapping[str, Any]) -> CustomResult:
    value = written["value"]
    return CustomResult(**{**written, "value": None if value is None else float(value)})


def _exposures(written: list[Any]) -> tuple[Exposure, Exposure]:
    candidate, stable = (
        Exposure(float(answered), {pod: LastSeen(*map(float, last)) for pod, last in pods.items()})
        for answered, pods in written
    )
    return candidate, stable


class _Bounds:
    """Boundaries of the histograms written so far, each list once."""

    def __init__(self) -> None:
        self.known: list[list[float]] = []

    def written(self, counters: Counters) -> list[Any]:
        sliced = {name: self._buckets(buckets) for name, buckets in counters.sliced.items()}
        numbers = _whole((counters.requests, counters.errors, counters.in_flight))
        started = [] if counters.started is None else [counters.started]
        return [*numbers, self._buckets(counters.latency), self._buckets(counters.scores), sliced, *started]

    def _buckets(self, buckets: Buckets) -> list[Any]:
        if not buckets:
            return []
        bounds = sorted(boundary for boundary in buckets if math.isfinite(boundary))
        if bounds not in self.known:
            self.known.append(bounds)
        totals = [0.0, *(buckets[boundary] for boundary in bounds), buckets[math.inf]]
        growth = [after - before for before, after in pairwise(totals)]
        return [self.known.index(bounds), *_whole(growth)]


def _pods(document: Mapping[str, list[Any]], bounds: list[list[float]]) -> Pods:
    return {pod: _counters(written, bounds) for pod, written in document.items()}


def _counters(written: list[Any], bounds: list[list[float]]) -> Counters:
    requests, errors, in_flight, latency, scores, sliced, *rest = written
    (started,) = rest or (None,)  # rollouts that began without it go on
    return Counters(
        float(requests),
        float(errors),
        _buckets(latency, bounds),
        _buckets(scores, bounds),
        {name: _buckets(buckets, bounds) for name, buckets in sliced.items()},
        float(in_flight),
        None if started is None else float(started),
    )


def _buckets(written: list[float], bounds: list[list[float]]) -> Buckets:
    if not written:
        return {}
    buckets: dict[float, float] = {}
    count = 0.0
    for boundary, growth in zip([*bounds[int(written[0])], math.inf], written[1:], strict=True):
        count += growth
        buckets[boundary] = count
    return buckets


def _evidence_written(evidence: Evidence) -> dict[str, Any]:
    return {
        "phi": evidence.phi,
        "phi_reason": evidence.phi_reason,
        "tallies": {
            name: [
                *map(_whole, (tally.canary, tally.stable, tally.before, tally.stable_step)),
                tally.step,
                tally.highest,
            ]
            for name, tally in evidence.tallies.items()
        },
        "needed": dict(evidence.needed),
        **{name: _panel_written(getattr(evidence, name)) for name in _PANELS},
    }


def _evidence(written: Mapping[str, Any]) -> Evidence:
    return Evidence(
        phi=float(written["phi"]),
        phi_reason=str(written["phi_reason"]),
        **{name: _panel(written[name]) for name in _PANELS},
        tallies={
            name: Tally(_pair(canary), _pair(stable), _pair(before), float(step), _pair(stable_step), float(highest))
            for name, (canary, stable, before, stable_step, step, highest) in written["tallies"].items()
        },
        needed={name: None if value is None else float(value) for name, value in written["needed"].items()},
    )


def _panel_written(panel: Panel) -> list[Any]:
    """[test, name → the rest of its process], by test: at full weight each has a limit of its own."""
    written: list[Any] = []
    for test, named in groupby(panel.items(), key=lambda name_and_process: name_and_process[1].test):
        processes = {
            name: [process.log_e, *_whole([getattr(process, part) for part in _PROCESS[1:]])] for name, process in named
        }
        written.append([asdict(test), processes])
    return written


_PROCESS = ("log_e", "hits", "canary_requests", "stable_requests")


def _panel(written: list[Any]) -> Panel:
    return {
        name: Process.from_json({"format": PROCESS_FORMAT, "test": test, **dict(zip(_PROCESS, parts, strict=True))})
        for test, processes in written
        for name, parts in processes.items()
    }


def _tests(written: Mapping[str, Any]) -> Tests:
    return Tests(
        tuple(written["metrics"]),
        tuple(map(float, written["boundaries"])),
        tuple(map(float, written["edges"])),
        {name: tuple(map(float, edges)) for name, edges in written["slices"].items()},
        dict(written["left_out"]),
    )


def _sample(at: float, counts: Mapping[str, list[tuple[float, float, float, float]]]) -> CountSample:
    return CountSample(
        float(at),
        {
            name: tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in tests)
            for name, tests in counts.items()
        },
    )


def _pair(values: list[float]) -> tuple[float, float]:
    first, second = values
    return float(first), float(second)


def _whole(values: Any) -> list[float]:
    """Counts without their ``.0``."""
    return [int(value) if float(value).is_integer() else value for value in values]
