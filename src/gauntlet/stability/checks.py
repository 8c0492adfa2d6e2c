"""Checks of the stability gate, one per limit of its policy."""

from __future__ import annotations

from collections.abc import Sequence

from gauntlet.evaluation import wording
from gauntlet.evaluation.metrics import Metric
from gauntlet.evaluation.power import units_needed
from gauntlet.evaluation.training_variance import MetricVariance
from gauntlet.stability.agreement import Agreement
from gauntlet.stability.policy import StabilityPolicy
from gauntlet.stability.variance import runs_to_decide
from gauntlet.verdict import Check, Status, decide

FLIPS = "measure_stability.flips"
SEED_SPREAD = "measure_stability.seed_spread"
_SAME_SEED = "measure_stability.same_seed"
_SCORES = "measure_stability.scores"


def same_seed_check(repeat: Agreement, same_bytes: bool, policy: StabilityPolicy) -> Check:
    """Check that the same seed on the same data gives the same model (tier one).

    Args:
        repeat: agreement of the two runs.
        same_bytes: whether the fitted models are byte-identical.
        policy: whether that is required.
    """
    begin = f"Trained twice with {repeat.names[0]} on the same data, the model"
    if repeat.identical:
        how = "is the same, byte for byte" if same_bytes else "gives every row the same answer, though its bytes differ"
        reason = f"{begin} {how}."
        return Check("same seed", Status.PASS, reason, repeat.largest, None, 0.0, "max", repeat.rows, code=_SAME_SEED)
    flips = "" if repeat.flips is None else f" and {percent(repeat.flips)} of decisions flip"
    finding = (
        f"{begin} differs: {percent(repeat.moved)} of rows get another score, the largest change is "
        f"{repeat.largest:.3g}{flips}"
    )
    required = policy.same_seed == "require"
    reason = f"{finding}." if required else f"{finding}; the policy only reports it."
    status = Status.FAIL if required else Status.PASS
    return Check("same seed", status, reason, repeat.largest, None, 0.0, "max", repeat.rows, code=_SAME_SEED)


def reproduction_check(largest: float, policy: StabilityPolicy) -> Check:
    """Check that retraining reproduces the candidate: no score differs by more than the tolerance."""
    kept = largest <= policy.tolerance or policy.same_seed == "report"
    status = Status.PASS if kept else Status.FAIL
    if largest <= policy.tolerance:
        how = "to the last digit" if largest == 0 else f"but for {largest:.2g} in a score at most"
        reason = f"Trained again, the candidate comes out as it was, {how}."
    else:
        reason = (
            f"Trained again by the same recipe, seed and data, the candidate does not come out: a score differs by "
            f"{largest:.3g}."
        )
    code = "measure_stability.reproduction"
    return Check("candidate reproduced", status, reason, largest, None, policy.tolerance, "max", code=code)


def seed_check(metric: Metric, spread: MetricVariance, runs: int, confidence: float) -> Check:
    """Check the standard deviation of a metric over seeds (tier two).

    Args:
        metric: the metric.
        spread: its spread and its cap, if any.
        runs: number of models that differ by seed alone.
        confidence: confidence of the interval, for the sentence.
    """
    deviation, interval = spread.seed.deviation, spread.seed.interval
    if deviation == 0:
        moved = f"{wording.title(metric)}: {runs} seeds give the same"
    else:
        moved = (
            f"{wording.title(metric)}: another seed moves it by {wording.gap(metric, deviation, interval)} (standard "
            f"deviation over {runs} runs; {100 * confidence:.3g}% interval {wording.gap_ends(metric, interval)})"
        )
    drawn = ""
    if spread.resample is not None:
        adds = wording.gap(metric, spread.resample.deviation, spread.resample.interval)
        drawn = f" Another draw of the training rows adds {adds}."
    name = f"{metric.name}: seed"
    if spread.cap is None:
        reason = f"{moved}; no cap is declared.{drawn}"
        return Check(name, Status.PASS, reason, deviation, interval, code=SEED_SPREAD, subject=metric.name)
    status = decide(interval, bound=spread.cap, direction="max")
    cap = f"the declared cap of {wording.limit(metric, spread.cap, of_gap=True)}"
    if status is Status.PASS:
        reason = f"{moved}, within {cap}."
    elif status is Status.FAIL:
        reason = f"{moved}, beyond {cap}."
    else:
        needed = runs_to_decide(deviation, spread.seed.df + 1, spread.cap, confidence)
        more = "how many runs would tell cannot be said" if needed is None else f"about {needed} runs would tell"
        reason = f"{moved}: too uncertain to tell whether it keeps {cap}; {more}."
    return Check(
        name,
        status,
        reason + drawn,
        deviation,
        interval,
        spread.cap,
        "max",
        code=SEED_SPREAD,
        subject=metric.name,
    )


def flips_check(pairs: Sequence[Agreement], policy: StabilityPolicy, confidence: float) -> Check:
    """Check the share of flipped decisions, for the pair of re-trainings with most (tier three).

    Args:
        pairs: all pairs of seeds, most flips first, with simultaneous intervals.
        policy: the limit, if any.
        confidence: simultaneous confidence of the intervals.
    """
    worst = pairs[0]
    share = worst.flips or 0.0
    low, high = worst.interval
    finding = (
        f"Two re-trainings decide up to {percent(share)} of rows differently ({worst.names[0]} and {worst.names[1]}; "
        f"exact {100 * confidence:.3g}% interval {percent(low)} to {percent(high)} over {len(pairs)} pairs)"
    )
    if policy.max_flips is None:
        reason = f"{finding}; no limit is declared."
        return Check("flips", Status.PASS, reason, share, worst.interval, None, None, worst.rows, code=FLIPS)
    status = decide(worst.interval, bound=policy.max_flips, direction="max")
    limit, needed = f"the {percent(policy.max_flips)} that are allowed", None
    if status is Status.PASS:
        reason = f"{finding}, within {limit}."
    elif status is Status.FAIL:
        reason = f"{finding}, more than {limit}."
    else:
        sure = 1 - (1 - confidence) / len(pairs) / 2
        needed = units_needed(share * worst.rows, worst.rows, policy.max_flips, below=sure, above=sure)
        reason = f"{finding}: too uncertain to tell whether it keeps {limit}{wording.about_rows(needed)}."
    return Check(
        "flips",
        status,
        reason,
        share,
        worst.interval,
        policy.max_flips,
        "max",
        worst.rows,
        needed,
        code=FLIPS,
    )


def change_check(pairs: Sequence[Agreement], policy: StabilityPolicy) -> Check:
    """Check the change of scores over seeds (tier two). It describes these runs, so it has no interval."""
    median = max(pair.median for pair in pairs)
    largest = max(pair.largest for pair in pairs)
    finding = f"Between two re-trainings a score moves by up to {median:.3g} in the median, and {largest:.3g} at most"
    if policy.max_median_change is None:
        return Check("scores", Status.PASS, f"{finding}; no limit is declared.", median, code=_SCORES)
    kept = median <= policy.max_median_change
    limit = f"the {policy.max_median_change:.3g} that the median may move"
    reason = f"{finding}, {'within' if kept else 'more than'} {limit}."
    status = Status.PASS if kept else Status.FAIL
    return Check("scores", status, reason, median, None, policy.max_median_change, "max", code=_SCORES)


def unmeasured_check(limit: str, reason: str) -> Check:
    """Make the check of a limit that could not be measured."""
    return Check(limit, Status.ERROR, reason, code="measure_stability.unmeasured", subject=limit)


def percent(share: float) -> str:
    """Format a share in percent, with at most two decimals."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + "%"
