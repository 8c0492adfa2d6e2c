"""Evidence of a rollout's metrics over time, and the rates of both versions with their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from gauntlet.delivery.analysis import state_codec
from gauntlet.delivery.analysis.format import hits
from gauntlet.delivery.analysis.history import series_of
from gauntlet.delivery.analysis.state import AnalysisState
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.state import Metric
from gauntlet.delivery.rollout.timeline import analyses
from gauntlet.errors import DataError
from gauntlet.reports.format import count, interval, number, quantity
from gauntlet.reports.history import Line
from gauntlet.stats.proportions import wilson

CONFIDENCE = 0.95
_LEAST, _MOST = 1e-3, 1e6
"""Evidence is drawn between these; what lies beyond is drawn at them."""
_LARGEST = 700.0
"""The largest logarithm whose exponential is a float."""


@dataclass(frozen=True)
class RatePanel:
    """The rates of both versions in one metric.

    Attributes:
        metric: its name.
        counted: what is counted, the same at every analysis: ``scores above 0.7``.
        lines: candidate and stable.
    """

    metric: str
    counted: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class MetricRow:
    """Row of one metric at its last analysis, formatted.

    Attributes:
        name: with a remark where it has no say.
        status: of the metric.
        sentence: what it saw.
        candidate, stable: the rate; ``–`` where it does not count.
        candidate_note, stable_note: its interval and the requests; empty where there are none.
        harm, safe: evidence of harm, and of being not worse.
        harm_note: what harm would need by itself; empty where it has no share.
    """

    name: str
    status: str
    sentence: str
    candidate: str
    candidate_note: str
    stable: str
    stable_note: str
    harm: str
    safe: str
    harm_note: str = ""


def names(journal: Journal) -> tuple[str, ...]:
    """Names of the metrics, in order of first appearance."""
    return tuple(dict.fromkeys(metric.name for _, analysis in analyses(journal) for metric in analysis.metrics))


def harm(journal: Journal, shares: Mapping[str, float]) -> tuple[Line, ...]:
    """A metric's evidence of harm over time, times its share of α, and the sum of all that have a say.

    Harm is shown when the sum reaches 1/(0.9 α) (docs/canary.md, 9).

    Args:
        journal: the rollout.
        shares: metric → its share of α; 1 where it is missing.

    Returns:
        The sum where it has several parts, then the metrics; drawn between 0.001 and a million.
    """
    lines = _grown(journal, "log_harm", shares)
    total: dict[float, float] = {}
    voting = [name for name in names(journal) if not _history(journal, name)[-1][1].dry_run]
    for name in voting:
        for at, metric in _history(journal, name):
            if metric.log_harm is not None:
                after = at - journal.rollout.began
                total[after] = total.get(after, 0.0) + shares.get(name, 1.0) * _exp(metric.log_harm)
    together = Line("sum of all", [(at, _visible(value)) for at, value in sorted(total.items())])
    return (together, *lines) if sum(line.name in voting for line in lines) > 1 else lines


def safety(journal: Journal) -> tuple[Line, ...]:
    """A metric's evidence of being not worse over time; each has to show it by itself. Drawn as ``harm`` is."""
    return _grown(journal, "log_safe", {})


def _grown(journal: Journal, kind: Literal["log_harm", "log_safe"], shares: Mapping[str, float]) -> tuple[Line, ...]:
    lines = []
    for name in names(journal):
        points = [
            (at - journal.rollout.began, _visible(_exp(value) * shares.get(name, 1.0)))
            for at, metric in _history(journal, name)
            for value in [metric.log_harm if kind == "log_harm" else metric.log_safe]
            if value is not None and not math.isnan(value)
        ]
        if points:
            lines.append(Line(_called(_history(journal, name)[-1][1]), points))
    return tuple(lines)


def _visible(evidence: float) -> float:
    return min(_MOST, max(_LEAST, evidence))


def equal_shares(journal: Journal) -> dict[str, float]:
    """Every metric that gives evidence of harm and has a say, with the same share of α; the others with that too."""
    known = [name for name in names(journal) for metric in [_history(journal, name)[-1][1]] if not metric.dry_run]
    voting = [name for name in known if any(metric.log_harm is not None for _, metric in _history(journal, name))]
    return dict.fromkeys(names(journal), 1 / max(1, len(voting)))


def rate_panels(journal: Journal) -> tuple[RatePanel, ...]:
    """The rates of each metric that counts, pooled since the rollout began, with Wilson intervals at 95 %.

    A metric with several tests is drawn by the one that leads at the end, from the beginning.
    """
    panels = []
    state = _state(journal)
    for name in names(journal):
        history = _history(journal, name)
        what, candidate, stable = _counted(history, state)
        lines = [
            _rates(arm, [(at - journal.rollout.began, *pair) for at, pair in counts if pair[1] > 0])
            for arm, counts in (("candidate", candidate), ("stable", stable))
        ]
        if any(line.points for line in lines):
            panels.append(RatePanel(_called(history[-1][1]), what, tuple(lines)))
    return tuple(panels)


_Pairs = list[tuple[float, tuple[float, float]]]
"""(seconds since the epoch, (hits, requests))."""


def _counted(history: Sequence[tuple[float, Metric]], state: AnalysisState | None) -> tuple[str, _Pairs, _Pairs]:
    """Title of a metric's plot, and its counts of candidate and stable."""
    newest = history[-1][1]
    if state is not None and newest.test:
        series = series_of(state, newest.name, newest.test)
        if series:
            words = hits(newest.name, newest.test)
            return words, [(at, pair[:2]) for at, pair in series], [(at, pair[2:]) for at, pair in series]
    return (
        f"requests: {newest.name}",
        [(at, metric.canary) for at, metric in history if metric.canary is not None],
        [(at, metric.stable) for at, metric in history if metric.stable is not None],
    )


def _state(journal: Journal) -> AnalysisState | None:
    """State of the analysis; ``None`` if another analyzer wrote it."""
    try:
        return state_codec.from_json(journal.analysis_state)
    except DataError:
        return None


def metric_rows(journal: Journal, needed: Mapping[str, float]) -> tuple[MetricRow, ...]:
    """Make the row of every metric, as of its last analysis.

    Args:
        journal: the rollout.
        needed: metric → evidence with which it shows harm by itself.
    """
    return tuple(_row(_history(journal, name)[-1][1], needed.get(name)) for name in names(journal))


def _row(metric: Metric, needed: float | None) -> MetricRow:
    return MetricRow(
        name=_called(metric),
        status=metric.status.value,
        sentence=metric.sentence,
        candidate=_rate(metric.canary),
        candidate_note=_note(metric.canary),
        stable=_rate(metric.stable),
        stable_note=_note(metric.stable),
        harm="–" if metric.log_harm is None else number(_exp(metric.log_harm)),
        safe="–" if metric.log_safe is None else number(_exp(metric.log_safe)),
        harm_note="" if needed is None or metric.log_harm is None else f"needs {number(needed)}",
    )


def _called(metric: Metric) -> str:
    return f"{metric.name} (no say)" if metric.dry_run else metric.name


def _history(journal: Journal, name: str) -> list[tuple[float, Metric]]:
    return [(at, metric) for at, analysis in analyses(journal) for metric in analysis.metrics if metric.name == name]


def _exp(logarithm: float) -> float:
    return math.exp(logarithm) if logarithm < _LARGEST else math.inf


def _rates(name: str, counts: Sequence[tuple[float, float, float]]) -> Line:
    band = [wilson(hits, requests, 1 - CONFIDENCE) for _, hits, requests in counts]
    return Line(name, [(at, hits / requests) for at, hits, requests in counts], band)


def _rate(counts: tuple[float, float] | None) -> str:
    if counts is None:
        return "–"
    hits, requests = counts
    return quantity(hits / requests, wilson(*counts, 1 - CONFIDENCE), unit="%") if requests else "no requests"


def _note(counts: tuple[float, float] | None) -> str:
    if counts is None or not counts[1]:
        return ""
    return f"{interval(wilson(*counts, 1 - CONFIDENCE), unit='%')}, of {count(counts[1])}"
