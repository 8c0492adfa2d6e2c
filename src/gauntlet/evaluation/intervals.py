"""Confidence intervals and p-values of a family, each on the scale where it covers what it says.

Shares: by the binomial tails at the effective sample size that their variance implies, mid-p alone, and the closer to
exact the more hold together (``shares``); areas: Wilson's score interval. Their gaps and differences: MOVER (Zou &
Donner 2008; Newcombe's method 10 when the sides are independent), which builds the interval of a difference from the
sides' own intervals and their correlation; two models' shares of the same rows: Tango's (1998) score interval. Their
ratios: MOVER-R (Donner & Zou 2012). Losses and errors: log scale; their gaps and differences by Student's t.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from gauntlet.evaluation import unseen
from gauntlet.evaluation.columns import of_label
from gauntlet.evaluation.effective import binomial_size, implied_size
from gauntlet.evaluation.families import Family, Side
from gauntlet.evaluation.metrics import Metric, Scale
from gauntlet.evaluation.paired import score_limits
from gauntlet.evaluation.sample import Floats
from gauntlet.evaluation.shares import binomial_limits, clopper_pearson, wilson
from gauntlet.evaluation.simultaneous import critical_value, student_quantile

_Interval = tuple[Floats, Floats]
"""Low and high ends."""
_Ends = tuple[Floats, Floats, Floats]
"""Values, low and high ends."""


def intervals(
    family: Family, *, confidence: float = 0.95, simultaneous: bool = False, rng: np.random.Generator | None = None
) -> Floats:
    """(k, 2) two-sided confidence intervals.

    One statistic at a time: t quantiles at each statistic's df. Simultaneous: all intervals cover together with the
    confidence asked for (max-|T| over the joint correlation, ``simultaneous.critical_value``).
    NaN where the estimate is undefined; the metric's whole range where it rests on one unit.

    Args:
        family: the statistics.
        confidence: in (0, 1). A one-sided test at level alpha reads one end of a 1 - 2 alpha interval.
        simultaneous: whether the family is decided together.
        rng: draws for the simultaneous critical value; None uses a fixed seed, so that a verdict is reproducible.

    18 of 20 positives are found and 38 of 40 decisions are right; simultaneous intervals are wider:

    >>> from gauntlet.evaluation.families import levels
    >>> from gauntlet.evaluation.metrics import resolve
    >>> from gauntlet.evaluation.panel import measure
    >>> from gauntlet.evaluation.sample import sample
    >>> rows = sample([1] * 20 + [0] * 20, [0.9] * 18 + [0.2] * 22, task="binary")
    >>> family = levels(measure([rows], resolve(["true_positive_rate", "accuracy"], "binary")))
    >>> intervals(family).round(3).tolist()
    [[0.707, 0.983], [0.844, 0.992]]
    >>> intervals(family, simultaneous=True).round(3).tolist()
    [[0.692, 0.986], [0.836, 0.993]]
    """
    critical = family_critical(family, confidence, rng) if simultaneous else float(stats.norm.isf((1 - confidence) / 2))
    return at_critical(family, np.full(len(family), critical))


def family_critical(family: Family, confidence: float, rng: np.random.Generator | None = None) -> float:
    """Critical value of |z| at which all intervals of the family cover together."""
    spread = family.standard_error
    alive = np.flatnonzero((spread > 0) & ~np.isnan(family.value))
    if len(alive) == 0:
        return float(stats.norm.isf((1 - confidence) / 2))
    scale = spread[alive]
    correlation = family.covariance[np.ix_(alive, alive)] / np.outer(scale, scale)
    np.fill_diagonal(correlation, 1.0)
    return critical_value(np.clip(correlation, -1, 1), confidence=confidence, rng=rng)


def at_critical(family: Family, critical: Floats) -> Floats:
    """(k, 2) intervals at (k,) critical values of |z|, each turned into the t quantile of the same tail."""
    scales = np.array([metric.scale for metric in family.metrics])
    shares = np.isin(scales, [Scale.PROPORTION, Scale.UNIT])
    low, high = _student(family, critical)
    explained = np.array([metric.explained for metric in family.metrics])
    losses = (scales == Scale.POSITIVE) | explained
    if losses.any():
        low, high = _where(losses, _loss_ends(family, critical), (low, high))
    if shares.any():
        low, high = _where(shares, _share_ends(family, critical), (low, high))
    if family.seed_variance.any():
        low, high = _with_seeds(family, critical, shares, low, high)
    unknown = family.df < 1 if family.second is None else (family.first.df < 1) | (family.second.df < 1)
    bottom, top = _range(family)
    low, high = np.where(unknown, bottom, np.maximum(low, bottom)), np.where(unknown, top, np.minimum(high, top))
    undefined = np.isnan(family.value)
    return np.where(undefined[:, None], np.nan, np.stack([low, high], axis=1))


def exact_shares(family: Family, *, confidence: float = 0.95) -> Floats:
    """(k, 2) exact intervals of shares, one at a time: they cover at least what they say, also near 0 and 1.

    Clopper and Pearson (1934) at the effective sample size, which t quantiles make smaller still where rows are
    clustered or weighted: Korn and Graubard, "Confidence intervals for proportions with small expected number of
    positive counts" (1998). [0, 1] where a share rests on one unit; NaN where it is undefined.

    Args:
        family: levels of metrics that are shares of rows.
        confidence: in (0, 1).
    """
    critical = np.full(len(family), stats.norm.isf((1 - confidence) / 2))
    share, known = family.value, family.df >= 1
    low, high = clopper_pearson(np.nan_to_num(share), binomial_size(family, family.first, critical), confidence)
    ends = np.stack([np.where(known, low, 0.0), np.where(known, high, 1.0)], axis=1)
    return np.where(np.isnan(share)[:, None], np.nan, ends)


def _where(chosen: NDArray[np.bool_], ends: _Interval, others: _Interval) -> _Interval:
    return np.where(chosen, ends[0], others[0]), np.where(chosen, ends[1], others[1])


def _student(family: Family, critical: Floats) -> tuple[Floats, Floats]:
    """Value ± t · se; a ratio's on the log scale."""
    half = student_quantile(critical, family.df) * family.standard_error
    if family.kind != "ratio":
        return family.value - half, family.value + half
    with np.errstate(over="ignore"):
        factor = np.exp(half)
    return family.value / factor, family.value * factor


def _share_ends(family: Family, critical: Floats) -> tuple[Floats, Floats]:
    """Intervals of shares and areas, of their gaps, ratios and differences."""
    near = _side_interval(family, family.first, critical)
    if family.second is None:
        return near
    far = _side_interval(family, family.second, critical)
    make = _mover_ratio if family.kind == "ratio" else _mover_difference
    ends = make((family.first.value, *near), (family.second.value, *far), family.correlation)
    if family.kind != "difference":
        return ends
    areas = np.array([metric.rank for metric in family.metrics])
    widened = (
        family.value - np.hypot(family.value - ends[0], unseen.area(family, family.second, critical)),
        family.value + np.hypot(ends[1] - family.value, unseen.area(family, family.first, critical)),
    )
    return _paired_shares(family, critical, _where(areas, widened, ends))


def _side_interval(family: Family, side: Side, critical: Floats) -> tuple[Floats, Floats]:
    """Intervals of one side, at the effective sample size its variance implies: of shares binomial, else score.

    An area's reaches as far as units do that the sample has not met; of two models' areas the difference does.
    """
    df = np.where(family.seed_variance > 0, np.minimum(side.df, family.df), side.df)
    if family.kind == "difference":
        df = family.df
    low, high = wilson(side.value, implied_size(side), student_quantile(critical, df))
    shares = np.array([metric.scale is Scale.PROPORTION for metric in family.metrics])
    if shares.any():
        share = np.where(shares, side.value, np.nan)
        binomial = binomial_limits(share, binomial_size(family, side, critical), critical)
        low, high = _where(shares, binomial, (low, high))
    areas = np.array([metric.rank for metric in family.metrics])
    if family.kind == "difference" or not areas.any():
        return low, high
    value, below = side.value, unseen.area(family, side, critical)
    above = below * np.divide(1 - value, value, out=np.ones_like(value), where=value > 0)
    reaching = value - np.hypot(value - low, below), value + np.hypot(high - value, above)
    return _where(areas, reaching, (low, high))


def _loss_ends(family: Family, critical: Floats) -> tuple[Floats, Floats]:
    """Intervals of mean losses and errors: levels on the log scale, with what unseen units may add above.

    Gaps and ratios of slices: MOVER from the sides' levels, ratios on the log scale. Differences of two models: t, and
    on either side what units may add that the sample has not met.
    """
    first, second = family.first, family.second
    if second is None:
        return _loss_interval(family, first, family.standard_error, family.df, critical)
    if family.kind == "difference":
        half = student_quantile(critical, family.df) * family.standard_error
        explained = np.array([metric.explained for metric in family.metrics])
        of_first, of_second = (unseen.difference(family, side, critical) for side in (first, second))
        below, above = _where(explained, (of_first, of_second), (of_second, of_first))
        return family.value - np.hypot(half, below), family.value + np.hypot(half, above)
    near: _Ends = (first.value, *_loss_interval(family, first, np.sqrt(first.variance), first.df, critical))
    far: _Ends = (second.value, *_loss_interval(family, second, np.sqrt(second.variance), second.df, critical))
    if family.kind == "gap":
        return _mover_difference(near, far, family.correlation)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        low, high = _mover_difference(_logs(near), _logs(far), family.correlation)
        low, high = np.exp(low), np.exp(high)
    return np.where(np.isnan(low), 0.0, low), np.where(np.isnan(high), np.inf, high)


def _logs(ends: _Ends) -> _Ends:
    value, low, high = ends
    return np.asarray(np.log(value)), np.asarray(np.log(low)), np.asarray(np.log(high))


def _loss_interval(family: Family, side: Side, error: Floats, df: Floats, critical: Floats) -> tuple[Floats, Floats]:
    """Interval of one level: exp(log value ± t · se / value), the upper end with what unseen units may add.

    R²'s is that of the share it leaves unexplained.
    """
    value = unseen.losses(family, side)
    positive = value > 0
    relative = student_quantile(critical, df) * error / np.where(positive, value, 1.0)
    with np.errstate(over="ignore"):
        factor = np.exp(np.where(positive, relative, 0.0))
        high = value * factor
    low, high = value / factor, unseen.above(family, side, high, critical)
    explained = np.array([metric.explained for metric in family.metrics])
    return _where(explained, (1 - high, 1 - low), (low, high))


def _paired_shares(family: Family, critical: Floats, fallback: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Tango's (1998) score interval where both models' shares are of the same rows (accuracy, true-positive rate).

    The score takes the number of rows on which only one model is right for normal. Where it is small and the tail far,
    MOVER from its binomial limits is wider; the interval reaches as far as either.

    The discordant share follows from the variance of the difference, (m - 1) · Var = b + c - d²; m is the effective
    sample size of the sides (weighted rows included; clusters covary too loosely for it). Shares of each model's own
    decisions (precision) keep the interval ``fallback``.
    """
    if family.clustered:
        return fallback
    paired = np.array([metric.scale is Scale.PROPORTION and _same_rows(metric) for metric in family.metrics])
    sides = [side for side in (family.first, family.second) if side is not None]
    size = np.min([implied_size(side) for side in sides], axis=0)
    usable = paired & (size > 1) & ~np.isnan(family.value)
    if not usable.any():
        return fallback
    value = np.where(usable, family.value, 0.0)
    variance = np.maximum(np.diag(family.covariance) - family.seed_variance, 0.0)
    discordant = np.clip((size - 1) * variance + value**2, np.abs(value), 1.0)
    n = np.where(usable, size, 1.0)
    quantile = student_quantile(critical, family.df)
    first_only, second_only = (np.where(usable, discordant + sign * value, np.nan) / 2 for sign in (1, -1))
    low, high = score_limits(n * first_only, n * second_only, n, quantile)
    binomial = (binomial_limits(share, n * (critical / quantile) ** 2, critical) for share in (first_only, second_only))
    near, far = ((share, *ends) for share, ends in zip((first_only, second_only), binomial, strict=True))
    odds = first_only * second_only / np.maximum((1 - first_only) * (1 - second_only), np.finfo(np.float64).tiny)
    below, above = _mover_difference(near, far, -np.sqrt(np.minimum(odds, 1.0)))
    return _where(usable, (np.minimum(low, below), np.maximum(high, above)), fallback)


def _same_rows(metric: Metric) -> bool:
    """Whether the rows a share is taken of do not depend on the model."""
    return all(of_label(name) for group in metric.support for name in group)


def _mover_difference(near: _Ends, far: _Ends, correlation: Floats) -> tuple[Floats, Floats]:
    """Zou & Donner (2008), eq. 3: value, low, high of both sides. Unbounded where a side is."""
    (a, low_a, high_a), (b, low_b, high_b) = near, far
    with np.errstate(invalid="ignore"):  # infinity less infinity, where both sides are unbounded
        below = (a - low_a) ** 2 + (high_b - b) ** 2 - 2 * correlation * (a - low_a) * (high_b - b)
        above = (high_a - a) ** 2 + (b - low_b) ** 2 - 2 * correlation * (high_a - a) * (b - low_b)
    below, above = np.where(np.isinf(high_b), np.inf, below), np.where(np.isinf(high_a), np.inf, above)
    return a - b - np.sqrt(np.maximum(below, 0.0)), a - b + np.sqrt(np.maximum(above, 0.0))


def _mover_ratio(near: _Ends, far: _Ends, correlation: Floats) -> tuple[Floats, Floats]:
    """Donner & Zou (2012), eqs. 9-10, with the sides' correlation; no upper end where the reference may be 0."""
    (a, low_a, high_a), (b, low_b, high_b) = near, far
    middle_low = a * b - correlation * (a - low_a) * (high_b - b)
    middle_high = a * b - correlation * (high_a - a) * (b - low_b)
    bottom_low, bottom_high = high_b * (2 * b - high_b), low_b * (2 * b - low_b)
    root_low = np.sqrt(np.maximum(middle_low**2 - low_a * (2 * a - low_a) * bottom_low, 0.0))
    root_high = np.sqrt(np.maximum(middle_high**2 - high_a * (2 * a - high_a) * bottom_high, 0.0))
    # (m - r) / q written as x / (m + r): no division by zero where the reference's upper end is twice its value.
    low = np.divide(
        low_a * (2 * a - low_a), middle_low + root_low, out=np.zeros_like(a), where=middle_low + root_low > 0
    )
    high = np.divide(middle_high + root_high, bottom_high, out=np.full_like(a, np.inf), where=bottom_high > 0)
    return np.maximum(low, 0.0), high


def _with_seeds(
    family: Family, critical: Floats, shares: np.ndarray, low: Floats, high: Floats
) -> tuple[Floats, Floats]:
    """Widen the intervals of shares by the seeds' half-width, in quadrature; the others have it in their variance."""
    extra = np.where(shares, (student_quantile(critical, family.df) ** 2) * family.seed_variance, 0.0)
    below, above = family.value - low, high - family.value
    return family.value - np.sqrt(below**2 + extra), family.value + np.sqrt(above**2 + extra)


def _range(family: Family) -> tuple[Floats, Floats]:
    """The values a statistic can have at all."""
    low = np.array([metric.low for metric in family.metrics])
    high = np.array([metric.high for metric in family.metrics])
    if family.kind == "level":
        return low, high
    if family.kind == "ratio":
        return np.zeros(len(family)), np.full(len(family), np.inf)
    return low - high, high - low


def p_values(family: Family, bound: ArrayLike, *, direction: str) -> Floats:
    """(k,) one-sided p-values of "the statistic breaks the bound", by inverting the intervals.

    p < alpha exactly where the 1 - 2 alpha interval lies on the kept side of the bound, so p-values (and Holm on them)
    never contradict the intervals shown. NaN where undefined.

    Args:
        family: the statistics.
        bound: (k,) or scalar limit.
        direction: ``"min"``: tests H0 value ≤ bound against value > bound (non-inferiority shown when small);
            ``"max"``: H0 value ≥ bound against value < bound.
    """
    limit = np.broadcast_to(np.asarray(bound, dtype=np.float64), (len(family),))
    kept = family.value > limit if direction == "min" else family.value < limit
    # On the kept side the near end crosses the bound as the critical value grows; on the other, the far end.
    end = np.where(kept == (direction == "min"), 0, 1)
    # The normal tail beyond 38 is the smallest that a double holds; 50 halvings leave 3e-14 of it.
    below, above = np.zeros(len(family)), np.full(len(family), 38.0)
    for _ in range(50):
        middle = (below + above) / 2
        ends = at_critical(family, middle)[np.arange(len(family)), end]
        clear = np.where(end == 0, ends > limit, ends < limit)
        below, above = np.where(clear, middle, below), np.where(clear, above, middle)
    p = stats.norm.sf(below)
    return np.where(np.isnan(family.value), np.nan, np.where(kept, p, 1 - p))
