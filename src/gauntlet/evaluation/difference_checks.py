"""Checks a paired difference of two models against a margin.

Two intervals, because there are two questions. *Is this very model worse?* is answered by the rows alone: a model that
is shown to be worse on them is harmful however lucky or unlucky its seed was. *Would it be as good once more?* also
counts what re-training moves. FAIL rests on the first, PASS needs the second as well. So a noisy model finds it harder
to pass and no easier not to fail: noise never buys tolerance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from gauntlet.evaluation import wording
from gauntlet.evaluation.metrics import Direction, Metric
from gauntlet.evaluation.power import rows_needed
from gauntlet.evaluation.slices import ALL, Slice
from gauntlet.verdict import Check, Status, decide

SLICE = "compare_champion.slice"
_WITHIN_NOISE = 1.96
"""Standard deviations of seed noise below which another seed could have caused a difference."""


@dataclass(frozen=True)
class Difference:
    """Challenger − champion on the same rows, in one metric and slice.

    Attributes:
        metric: with a direction that is better.
        slice: the slice.
        challenger, champion: the metric of each model.
        value: their difference.
        interval: of the difference, seed variance included where it was counted; holds ``rows_interval``.
        confidence: of the interval, or of all intervals it is simultaneous with.
        rows: rows (or clusters) of the slice.
        seed_deviation: standard deviation that training's own seed brings to the difference; 0: not counted.
        sampling_error: standard error from the rows alone.
        rows_interval: from the rows alone; ``None``: the same as ``interval``.
        broken_cap: the limit declared for the challenger's own seed deviation, where it lies beyond it.
    """

    metric: Metric
    slice: Slice
    challenger: float
    champion: float
    value: float
    interval: tuple[float, float]
    confidence: float
    rows: int
    seed_deviation: float = 0.0
    sampling_error: float = 0.0
    rows_interval: tuple[float, float] | None = None
    broken_cap: float | None = None

    @property
    def improvement(self) -> float:
        """The difference, positive where the challenger is better."""
        return self.value if self.metric.direction is Direction.HIGHER else -self.value

    @property
    def improvement_interval(self) -> tuple[float, float]:
        """The interval of ``improvement``."""
        low, high = self.interval
        return (low, high) if self.metric.direction is Direction.HIGHER else (-high, -low)

    @property
    def direction(self) -> str:
        """Direction of the bound: ``min`` where more is better."""
        return "min" if self.metric.direction is Direction.HIGHER else "max"

    @property
    def on_these_rows(self) -> Difference:
        """The same difference, as the rows alone show it."""
        return self if self.rows_interval is None else replace(self, interval=self.rows_interval)

    @property
    def noise(self) -> float:
        """Half width of the 95 % range of the difference over re-trainings."""
        return _WITHIN_NOISE * self.seed_deviation

    def bound(self, margin: float) -> float:
        """The difference at which the challenger is worse by the margin."""
        return -margin if self.metric.direction is Direction.HIGHER else margin

    @property
    def name(self) -> str:
        """Name of its check: ``auc``, ``sex=Female: auc``."""
        return self.metric.name if self.slice == ALL else f"{self.slice.name}: {self.metric.name}"


def kept_check(difference: Difference, margin: float, *, same: bool = False) -> Check:
    """The challenger must be shown not to be worse by more than the margin.

    Args:
        difference: on all rows.
        margin: in the metric's units, at least 0.
        same: whether both models give identical scores.
    """
    bound = difference.bound(margin)
    status = _status(difference, bound)
    needed = _rows_to_decide(difference, bound) if status is Status.INCONCLUSIVE else None
    allowed = f"the margin of {wording.limit(difference.metric, margin, of_gap=True)}"
    if same:
        value = wording.level(difference.metric, difference.champion, (0.0, 0.0))
        reason = f"Identical predictions: {difference.metric.title} is {value} for challenger and champion alike."
    elif status is Status.PASS:
        reason = f"{found(difference)}: {_kept(difference, allowed)}.{_noise(difference)}"
    elif status is Status.FAIL:
        reason = f"{found(difference.on_these_rows)}: worse by more than {allowed}."
    else:
        more = _what_would_tell(difference, needed)
        reason = f"{found(difference)}: it may be worse by more than {allowed} or not{more}.{_noise(difference)}"
    return _check(difference, difference.name, status, reason, bound, needed, code="compare_champion.margin")


def improvement_check(difference: Difference, *, same: bool = False) -> Check:
    """The challenger must be shown to be better than the champion, by however little.

    A gain that re-training alone brings is not one: where the seed's noise is what hides it, and not the number of
    rows, the demand is not met, and no row could meet it.
    """
    status = _status(difference, 0.0, strict=True)
    hidden = status is Status.INCONCLUSIVE and _hidden_by_noise(difference)
    status = Status.FAIL if hidden else status
    needed = _rows_to_decide(difference, 0.0) if status is Status.INCONCLUSIVE else None
    if same:
        reason = "Identical predictions cannot be the improvement that the policy demands."
    elif status is Status.PASS:
        reason = f"{found(difference)}: the improvement that the policy demands.{_noise(difference)}"
    elif hidden:
        noise = wording.gap(difference.metric, difference.noise, difference.interval)
        reason = (
            f"{found(difference.on_these_rows)}, but re-training alone moves it by ±{noise}: "
            f"not the improvement that the policy demands.{_broken_cap(difference)}"
        )
    elif status is Status.FAIL:
        reason = f"{found(difference.on_these_rows)}: no improvement, which the policy demands."
    else:
        more = _what_would_tell(difference, needed)
        reason = f"{found(difference)}: the improvement that the policy demands is not shown{more}.{_noise(difference)}"
    check = _check(
        difference,
        f"{difference.name}: improvement",
        status,
        reason,
        0.0,
        needed,
        code="compare_champion.seed_noise" if hidden else "compare_champion.improvement",
    )
    return replace(check, proof=True)


def slice_check(difference: Difference, margin: float) -> Check:
    """A slice must not be shown to be worse by more than the margin. What is not shown passes, and says so."""
    bound = difference.bound(margin)
    row_status = _status(difference, bound)
    allowed = f"the margin of {wording.limit(difference.metric, margin, of_gap=True)}"
    if row_status is Status.FAIL:
        reason = f"{found(difference.on_these_rows)}: worse by more than {allowed}."
        return _check(difference, difference.name, Status.FAIL, reason, bound, None, code=SLICE)
    outcome = (
        _kept(difference, allowed) if row_status is Status.PASS else f"not shown to be worse by more than {allowed}"
    )
    reason = f"{found(difference)}: {outcome}."
    return _check(difference, difference.name, Status.PASS, reason, bound, None, code=SLICE)


def found(difference: Difference) -> str:
    """``AUC is 0.031 worse than the champion's (0.881 against 0.912; 95% interval −0.042 to −0.020)``."""
    metric, interval = difference.metric, difference.interval
    where = "" if difference.slice == ALL else f"{difference.slice.name}: "
    title = metric.title if where else wording.title(metric)
    challenger, other = (wording.level(metric, side, interval) for side in (difference.challenger, difference.champion))
    spread = wording.gap_interval(metric, interval, difference.confidence)
    if difference.value == 0:
        how = "the same as the champion's"
    else:
        size = wording.gap(metric, difference.value, interval)
        how = f"{size} {'better' if difference.improvement > 0 else 'worse'} than the champion's"
    return f"{where}{title} is {how} ({challenger} against {other}; {spread})"


def _kept(difference: Difference, allowed: str) -> str:
    better = decide(difference.interval, bound=0.0, direction=difference.direction, strict=True) is Status.PASS
    return "shown to be better" if better else f"not worse by more than {allowed}"


def _status(difference: Difference, bound: float, *, strict: bool = False) -> Status:
    """FAIL on what the rows alone show; PASS only where re-training's spread leaves it standing."""
    alone = decide(difference.on_these_rows.interval, bound=bound, direction=difference.direction, strict=strict)
    if alone in (Status.FAIL, Status.ERROR):
        return alone
    return decide(difference.interval, bound=bound, direction=difference.direction, strict=strict)


def _hidden_by_noise(difference: Difference) -> bool:
    """Whether the seed's noise, more than the rows', is what the difference is lost in."""
    return difference.seed_deviation > difference.sampling_error and abs(difference.value) <= difference.noise


def _noise(difference: Difference) -> str:
    """Sentence for a difference that another seed could have caused."""
    if not difference.noise or abs(difference.value) > difference.noise:
        return _broken_cap(difference)
    size = wording.gap(difference.metric, difference.noise, difference.interval)
    return f" The difference is within the noise of its own training seed, about ±{size}.{_broken_cap(difference)}"


def _broken_cap(difference: Difference) -> str:
    """Sentence for a challenger whose own spread is beyond its cap."""
    if difference.broken_cap is None:
        return ""
    cap = wording.limit(difference.metric, difference.broken_cap, of_gap=True)
    return f" Its spread over seeds is beyond the declared cap of {cap}; it earns the challenger no tolerance."


def _rows_to_decide(difference: Difference, bound: float) -> int | None:
    """Rows that would tell; ``None`` where it is the seed's noise that hides the answer, which no row takes away."""
    if difference.seed_deviation > difference.sampling_error:
        return None
    # A failure is decided on the rows alone; what a pass has to allow for the seed, no row takes away.
    ends, fixed = list(difference.on_these_rows.interval), [0.0, 0.0]
    passing = 0 if difference.direction == "min" else 1
    own, whole = (abs(difference.value - end) for end in (ends[passing], difference.interval[passing]))
    ends[passing] = difference.interval[passing]
    fixed[passing] = math.sqrt(max(whole * whole - own * own, 0.0)) if math.isfinite(whole) else 0.0
    return rows_needed(
        value=difference.value,
        interval=(ends[0], ends[1]),
        bound=bound,
        rows=difference.rows,
        standard_error=difference.sampling_error,
        fixed=(fixed[0], fixed[1]),
    )


def _what_would_tell(difference: Difference, needed: int | None) -> str:
    """Rows, or runs; nothing where the sentence goes on to speak of noise."""
    if _noise(difference):
        return ""
    if difference.seed_deviation > difference.sampling_error or (needed is None and difference.seed_deviation):
        return "; more re-trainings would tell, more rows would not"
    return wording.about_rows(needed)


def _check(
    difference: Difference, name: str, status: Status, reason: str, bound: float, needed: int | None, *, code: str
) -> Check:
    return Check(
        name,
        status,
        reason,
        difference.value,
        difference.interval,
        bound,
        difference.direction,
        difference.rows,
        needed,
        code=code,
        subject=difference.metric.name if difference.slice == ALL else difference.slice.name,
    )
