"""Page of the stability gate: retraining variance of metrics and decisions."""

from __future__ import annotations

from dataclasses import dataclass

from gauntlet.evaluation import wording
from gauntlet.evaluation.metrics import Metric
from gauntlet.evaluation.training_variance import Component, MetricVariance
from gauntlet.reports.page import render
from gauntlet.reports.plots import ForestRow
from gauntlet.stability.agreement import Agreement
from gauntlet.stability.checks import FLIPS
from gauntlet.stability.gate import StabilityResult

_MOST_PAIRS = 30
_WITHIN = 1.96
"""Half width of the 95 % range of a re-training, in standard deviations."""


@dataclass(frozen=True)
class StabilityView:
    """Content of the page.

    Attributes:
        measured: whether anything was run.
        runs, resamples, rows: their numbers.
        same_seed: result of the same seed twice, in two words.
        flips: largest share of flips of two re-trainings, formatted; empty for a regression.
        leading: title of the metric that is drawn.
        estimates: every run on that metric.
        head, metrics: the table of metrics.
        champion_gap: candidate − champion metric by metric, what re-training moves, and how they compare.
        reading: how the difference from the champion compares with the spread; one sentence a metric.
        pairs: decisions that flip between two seeds, most first, in percent.
        bound: the limit on flips, in percent.
        left_out: number of pairs not drawn.
        changes: the table of what other seeds, other draws and the champion change.
    """

    measured: bool
    runs: int = 0
    resamples: int = 0
    rows: int = 0
    same_seed: str = ""
    flips: str = ""
    leading: str = ""
    estimates: tuple[ForestRow, ...] = ()
    head: tuple[str, ...] = ()
    metrics: tuple[tuple[str, ...], ...] = ()
    champion_gap: tuple[tuple[str, ...], ...] = ()
    reading: tuple[str, ...] = ()
    pairs: tuple[ForestRow, ...] = ()
    bound: float | None = None
    left_out: int = 0
    changes: tuple[tuple[str, ...], ...] = ()


def stability_page(result: StabilityResult) -> str:
    """Render the page."""
    view = stability_view(result)
    return render("stability.html.j2", title="Stability of training", view=view, verdict=result.verdict)


def stability_view(result: StabilityResult) -> StabilityView:
    """Make the view of a result."""
    stability, repeat = result.stability, result.repeat
    if stability is None or repeat is None or result.leading is None:
        return StabilityView(measured=False)
    flips = next((check for check in result.verdict.checks if check.code == FLIPS), None)
    return StabilityView(
        measured=True,
        runs=stability.runs,
        resamples=stability.resamples,
        rows=int(result.verdict.facts["rows"]),
        same_seed="the same model" if repeat.identical else "another model",
        flips="" if flips is None or flips.measured is None else _percent(flips.measured),
        leading=wording.title(result.leading),
        estimates=tuple(ForestRow(run.name, run.value, *run.interval) for run in result.estimates),
        head=_head(result),
        metrics=tuple(_metric(metric, stability.metrics[metric.name], result) for metric in result.metrics),
        champion_gap=_champion_gap(result),
        reading=_reading(result),
        pairs=tuple(_pair(pair, "" if flips is None else flips.status.value) for pair in result.pairs[:_MOST_PAIRS])
        if flips is not None
        else (),
        bound=None if flips is None or flips.bound is None else 100 * flips.bound,
        left_out=max(len(result.pairs) - _MOST_PAIRS, 0),
        changes=_changes(result),
    )


def _head(result: StabilityResult) -> tuple[str, ...]:
    cap = ("Cap",) if _capped(result) else ()
    return ("Metric", "This model", "Another seed", "Another draw adds", *cap)


def _capped(result: StabilityResult) -> bool:
    return result.stability is not None and any(metric.cap is not None for metric in result.stability.metrics.values())


def _metric(metric: Metric, spread: MetricVariance, result: StabilityResult) -> tuple[str, ...]:
    cap = "–" if spread.cap is None else wording.limit(metric, spread.cap, of_gap=True)
    return (
        wording.title(metric),
        wording.level(metric, spread.value, spread.seed.interval),
        _component(metric, spread.seed),
        "not measured" if spread.resample is None else _component(metric, spread.resample),
        *((cap,) if _capped(result) else ()),
    )


def _champion_gap(result: StabilityResult) -> tuple[tuple[str, ...], ...]:
    """Compare the gap to the champion with the spread of re-trainings, metric by metric."""
    if result.champion_gap is None or result.stability is None:
        return ()
    rows = []
    for metric in result.metrics:
        known = result.champion_gap.differences.get(metric.name)
        if known is not None:
            noise = _WITHIN * result.stability.metrics[metric.name].seed.deviation
            reading = "within the noise" if abs(known[0]) <= noise else "beyond the noise"
            moved = f"±{wording.gap(metric, noise, known[1])}"
            rows.append((wording.title(metric), _difference(metric, *known), moved, reading))
    return tuple(rows)


def _component(metric: Metric, component: Component) -> str:
    """Format a component: ``0.0021 (0.0013 to 0.0060)``."""
    size = wording.gap(metric, component.deviation, component.interval).removesuffix(" points")
    return f"{size} ({wording.gap_ends(metric, component.interval)})"


def _difference(metric: Metric, value: float, interval: tuple[float, float]) -> str:
    sign = "+" if value > 0 else "−" if value < 0 else ""
    size = wording.gap(metric, value, interval).removesuffix(" points")
    return f"{sign}{size} ({wording.gap_ends(metric, interval)})"


def _reading(result: StabilityResult) -> tuple[str, ...]:
    """Sentences that compare the gap to the champion with the spread."""
    if result.champion_gap is None or result.leading is None or result.stability is None:
        return ()
    metric = result.leading
    known = result.champion_gap.differences.get(metric.name)
    if known is None:
        return ()
    noise = _WITHIN * result.stability.metrics[metric.name].seed.deviation
    size, moved = wording.gap(metric, known[0], known[1]), wording.gap(metric, noise, known[1])
    within = abs(known[0]) <= noise
    sentence = (
        f"Candidate and champion differ by {size} in {metric.title}; re-training the candidate alone moves it by "
        f"±{moved}, so the difference is {'within' if within else 'beyond'} what chance in training brings."
    )
    apart, pair = result.champion_gap.agreement.flips, result.pairs[0].flips
    if apart is None or pair is None:
        return (sentence,)
    most = _percent(pair)
    return (
        sentence,
        f"They decide {_percent(apart)} of rows differently; two re-trainings of the candidate, up to {most}.",
    )


def _changes(result: StabilityResult) -> tuple[tuple[str, ...], ...]:
    assert result.repeat is not None
    rows = [("The same seed again", result.repeat), ("Another seed (the pair that differs most)", result.pairs[0])]
    rows += [("Another seed and draw of the rows (the largest)", result.draws[0])] if result.draws else []
    rows += [("The champion", result.champion_gap.agreement)] if result.champion_gap is not None else []
    return tuple(
        (
            what,
            f"{pair.median:.3g}",
            f"{pair.largest:.3g}",
            "–"
            if pair.flips is None
            else f"{_percent(pair.flips)} ({_percent(pair.interval[0])} to {_percent(pair.interval[1])})",
        )
        for what, pair in rows
    )


def _pair(pair: Agreement, status: str) -> ForestRow:
    low, high = pair.interval
    share = pair.flips or 0.0
    return ForestRow(" and ".join(pair.names), 100 * share, 100 * low, 100 * high, n=pair.rows, status=status)


def _percent(share: float) -> str:
    return f"{100 * share:.2f}%"
