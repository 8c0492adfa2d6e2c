"""Each limit of the stability policy as a check with its sentence."""

from __future__ import annotations

from collections.abc import Sequence

from gauntlet.evaluation import wording
from gauntlet.evaluation.metrics import Metric
from gauntlet.evaluation.stability import MetricStability
from gauntlet.stability.agreement import Agreement
from gauntlet.stability.policy import StabilityPolicy
from gauntlet.stability.variance import runs_to_decide
from gauntlet.verdict import Check, Status, decide

FLIPS = "measure_stability.flips"
SEED_SPREAD = "measure_stability.seed_spread"
_SAME_SEED = "measure_stability.same_seed"
_SCORES = "measure_stability.scores"


def same_seed_check(repeat: Agreement, same_bytes: bool, policy: StabilityPolicy) -> Check:
    """Tier one: the same seed on the same data gives the same model.

    Args:
        repeat: the two runs' answers.
        same_bytes: the fitted models are equal, byte for byte.
        policy: whether that is required.
    """
    begin = f"Trained twice with {repeat.names[0]} on the same data, the model"
    if repeat.identical:
        how = "is the same, byte for byte" if same_bytes else "gives every row the same answer, though its bytes differ"
        reason = f"{begin} {how}."
        return Check("same seed", Status.PASS, reason, repeat.largest, None, 0.0, "max", repeat.rows, code=_SAME_SEED)
    flips = "" if repeat.flips is None else f" and {percent(repeat.flips)} of decisions flip"
    found = (
        f"{begin} differs: {percent(repeat.moved)} of rows get another score, the largest change is "
        f"{repeat.largest:.3g}{flips}"
    )
    required = policy.same_seed == "require"
    reason = f"{found}." if required else f"{found}; the policy only reports it."
    status = Status.FAIL if required else Status.PASS
    return Check("same seed", status, reason, repeat.largest, None, 0.0, "max", repeat.rows, code=_SAME_SEED)


def reproduction_check(largest: float, policy: StabilityPolicy) -> Check:
    """The candidate itself comes out again: no score is further from its predictions than the tolerance."""
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


def seed_check(metric: Metric, found: MetricStability, runs: int, confidence: float) -> Check:
    """Tier two, metrics: what another seed does to one.

    Args:
        metric: which.
        found: its spread and its cap, if any.
        runs: models that differ by seed alone.
        confidence: of the interval, for the sentence.
    """
    deviation, interval = found.seed.deviation, found.seed.interval
    if deviation == 0:
        moved = f"{wording.title(metric)}: {runs} seeds give the same"
    else:
        moved = (
            f"{wording.title(metric)}: another seed moves it by {wording.gap(metric, deviation, interval)} (standard "
            f"deviation over {runs} runs; {100 * confidence:.3g}% interval {wording.gap_ends(metric, interval)})"
        )
    drawn = ""
    if found.resample is not None:
        adds = wording.gap(metric, found.resample.deviation, found.resample.interval)
        drawn = f" Another draw of the training rows adds {adds}."
    name = f"{metric.name}: seed"
    if found.cap is None:
        reason = f"{moved}; no cap is declared.{drawn}"
        return Check(name, Status.PASS, reason, deviation, interval, code=SEED_SPREAD, subject=metric.name)
    status = decide(interval, bound=found.cap, direction="max")
    cap = f"the declared cap of {wording.limit(metric, found.cap, of_gap=True)}"
    if status is Status.PASS:
        reason = f"{moved}, within {cap}."
    elif status is Status.FAIL:
        reason = f"{moved}, beyond {cap}."
    else:
        needed = runs_to_decide(deviation, found.cap, confidence)
        more = "how many runs would tell cannot be said" if needed is None else f"about {needed} runs would tell"
        reason = f"{moved}: too uncertain to tell whether it keeps {cap}; {more}."
    return Check(
        name,
        status,
        reason + drawn,
        deviation,
        interval,
        found.cap,
        "max",
        code=SEED_SPREAD,
        subject=metric.name,
    )


def flips_check(pairs: Sequence[Agreement], policy: StabilityPolicy, confidence: float) -> Check:
    """Tier three: the two re-trainings that agree least.

    Args:
        pairs: every two of the seeds, most flips first; their intervals hold together.
        policy: the limit, if any.
        confidence: of all the intervals together.
    """
    worst = pairs[0]
    share = worst.flips or 0.0
    low, high = worst.interval
    found = (
        f"Two re-trainings decide up to {percent(share)} of rows differently ({worst.names[0]} and {worst.names[1]}; "
        f"exact {100 * confidence:.3g}% interval {percent(low)} to {percent(high)} over {len(pairs)} pairs)"
    )
    if policy.max_flips is None:
        reason = f"{found}; no limit is declared."
        return Check("flips", Status.PASS, reason, share, worst.interval, None, None, worst.rows, code=FLIPS)
    status = decide(worst.interval, bound=policy.max_flips, direction="max")
    limit, needed = f"the {percent(policy.max_flips)} that are allowed", None
    if status is Status.PASS:
        reason = f"{found}, within {limit}."
    elif status is Status.FAIL:
        reason = f"{found}, more than {limit}."
    else:
        needed = wording.rows_to_decide(share, worst.interval, policy.max_flips, worst.rows)
        reason = f"{found}: too uncertain to tell whether it keeps {limit}{wording.about_rows(needed)}."
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
    """Tier two, scores: how far another seed moves them. A fact about these runs, so it has no interval."""
    median = max(pair.median for pair in pairs)
    largest = max(pair.largest for pair in pairs)
    found = f"Between two re-trainings a score moves by up to {median:.3g} in the median, and {largest:.3g} at most"
    if policy.max_median_change is None:
        return Check("scores", Status.PASS, f"{found}; no limit is declared.", median, code=_SCORES)
    kept = median <= policy.max_median_change
    limit = f"the {policy.max_median_change:.3g} that the median may move"
    reason = f"{found}, {'within' if kept else 'more than'} {limit}."
    status = Status.PASS if kept else Status.FAIL
    return Check("scores", status, reason, median, None, policy.max_median_change, "max", code=_SCORES)


def unmeasured_check(limit: str, reason: str) -> Check:
    """A limit that could not be held against anything."""
    return Check(limit, Status.ERROR, reason, code="measure_stability.unmeasured", subject=limit)


def percent(share: float) -> str:
    """A share in percent, two digits after the point at most."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".") + "%"
