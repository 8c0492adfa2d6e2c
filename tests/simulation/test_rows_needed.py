"""Do as many rows decide as an inconclusive check names, in six of ten new samples or more?

For each gate samples are drawn, those kept that come out inconclusive and name a number, and as many rows drawn anew
from the same law. Limits lie as many standard errors from the truth as the test says: a number cannot know of a truth
much nearer than one, which takes more rows than any such sample lets expect. Beside it: how far the tenth and the
ninetieth percentile of the numbers lie apart, and how far those of "if the value stays" would. Counts are enumerated
instead of drawn.
"""

import numpy as np
import pytest
from scipy.stats import binom, chi2, norm

from builders.predictions import scored
from builders.trials import at_least
from gauntlet.behavior.rates import exact_bounds
from gauntlet.delivery.shadow.gate import ShadowCounts, ShadowPolicy, judge_shadow
from gauntlet.evaluation.comparison import compare
from gauntlet.evaluation.families import differences, levels
from gauntlet.evaluation.metrics import resolve
from gauntlet.evaluation.panel import measure
from gauntlet.evaluation.performance import judge_performance
from gauntlet.evaluation.policies import ChampionPolicy, PerformancePolicy, SlicesPolicy
from gauntlet.evaluation.power import units_needed
from gauntlet.evaluation.sample import sample
from gauntlet.evaluation.slices_gate import judge_slices
from gauntlet.serving.acceptance.latency import judge_latency, run_latency
from gauntlet.serving.acceptance.policy import LatencyLimits
from gauntlet.serving.load_result import LoadResult
from gauntlet.settings import parse
from gauntlet.stability.variance import chi_square_interval, runs_to_decide
from gauntlet.verdict import Status, decide
from tiers import count

pytestmark = pytest.mark.simulation

TRIALS = count(20, full=200)
MOST_ROWS = 40_000
LEAST = 0.6
PLACES = {"one": (1.0, 1.0), "two, beyond": (-2.0, -2.0), "three": (3.0, 3.0), "up to three, either way": (-3.0, 3.0)}
"""Standard errors from the limit to the truth, positive where the limit is kept: drawn evenly between the two."""


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def decided_at_what_is_named(judged, rows, place, rng, record_property, what):
    """Share of the inconclusive samples of ``judged(rng, rows, distance)``, a check, whose number decides anew."""
    decided, named, stayed = [], [], []
    for _ in range(20 * TRIALS):
        distance = rng.uniform(*place)
        first = judged(rng, rows, distance)
        if first.status is not Status.INCONCLUSIVE or first.rows_needed is None:
            continue
        needed = round(rows * first.rows_needed / first.sample_size)
        named.append(needed)
        low, high = first.interval
        arm = first.measured - low if first.bound < first.measured else high - first.measured
        stayed.append(max(1.0, (arm / (first.measured - first.bound)) ** 2))
        decided.append(judged(rng, min(needed, MOST_ROWS), distance).status is not Status.INCONCLUSIVE)
        if len(decided) == TRIALS:
            break
    spreads = [np.quantile(numbers, 0.9) / np.quantile(numbers, 0.1) for numbers in (named, stayed)]
    share = float(np.mean(decided))
    record_property(what, f"{share:.0%} of {len(decided)}; 80% of numbers {spreads[0]:.0f}-fold, once {spreads[1]:.0f}")
    assert len(decided) >= TRIALS / 2
    assert share >= at_least(LEAST, len(decided)), (share, spreads)
    return spreads


# --- Levels: evaluate_performance, and check_training's floor ---


def one_model(rng, rows):
    label = (rng.random(rows) < 0.3).astype(float)
    return label, sigmoid(1.5 * label - 1.5 + 1.3 * rng.normal(size=rows))


def truth_and_error(metric, rows, draw, family):
    """Of a metric, from 400,000 rows: its value, and its standard error on ``rows`` rows."""
    many = 400_000
    label, *scores = draw(np.random.default_rng(90), many)
    panel = measure([sample(label, score, task="binary") for score in scores], resolve([metric], "binary"))
    found = family(panel)
    return float(found.value[0]), float(found.standard_error[0]) * np.sqrt(many / rows)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("metric", ["auc", "accuracy", "log_loss"])
def test_levels(metric, place, record_property):
    rows = 500
    truth, error = truth_and_error(metric, rows, one_model, levels)
    side, sign = ("max", 1) if metric == "log_loss" else ("min", -1)

    def judged(rng, rows, distance):
        bound = truth + sign * distance * error
        policy = parse(PerformancePolicy, {"metrics": {metric: {side: bound}}}, field="policy")
        return judge_performance(scored(*one_model(rng, rows)), policy).verdict.checks[0]

    decided_at_what_is_named(judged, rows, PLACES[place], np.random.default_rng(91), record_property, "levels")


def test_several_levels_together(record_property):
    """The number is of one of them, at the critical value of all."""
    rows, metrics = 500, {"auc": "min", "accuracy": "min", "log_loss": "max", "brier": "max"}
    places = {name: truth_and_error(name, rows, one_model, levels) for name in metrics}

    def judged(rng, rows, distance):
        limits = {
            name: {side: places[name][0] + (1 if side == "max" else -1) * distance * places[name][1]}
            for name, side in metrics.items()
        }
        policy = parse(PerformancePolicy, {"metrics": limits}, field="policy")
        return judge_performance(scored(*one_model(rng, rows)), policy).verdict.checks[1]

    decided_at_what_is_named(judged, rows, (1.0, 1.0), np.random.default_rng(92), record_property, "four together")


@pytest.mark.parametrize("skill", [0.18, 0.3])
def test_better_than_the_trivial_model(skill, record_property):
    """About one and two standard errors better."""
    policy = PerformancePolicy.model_validate({})

    def judged(rng, rows, _):
        z = rng.normal(size=rows)
        label = (rng.random(rows) < sigmoid(skill * z - 1)).astype(float)
        (check,) = judge_performance(scored(label, sigmoid(skill * z - 1)), policy).verdict.checks
        return check

    decided_at_what_is_named(judged, 400, (0.0, 0.0), np.random.default_rng(93), record_property, "trivial model")


# --- Differences: compare_champion ---


def two_models(rng, rows):
    """The challenger is worse by several standard errors, so that limits on either side of it are margins."""
    label = (rng.random(rows) < 0.3).astype(float)
    logit = 1.8 * label - 1.5 + 1.2 * rng.normal(size=rows)
    return label, sigmoid(logit + 1.2 * rng.normal(size=rows)), sigmoid(logit)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("metric", ["auc", "accuracy", "log_loss"])
def test_differences(metric, place, record_property):
    rows = 1000
    truth, error = truth_and_error(metric, rows, two_models, differences)
    worse = abs(truth)

    def judged(rng, rows, distance):
        label, *scores = two_models(rng, rows)
        margin = worse + distance * error
        policy = parse(ChampionPolicy, {"primary": {"metric": metric, "margin": margin}}, field="policy")
        return compare(*(scored(label, score) for score in scores), policy).verdict.checks[0]

    decided_at_what_is_named(judged, rows, PLACES[place], np.random.default_rng(94), record_property, "differences")


# --- Slices: evaluate_slices ---


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("kind", ["gap", "ratio"])
def test_slices(kind, place, record_property):
    """Selected are 40 % of one group and 30 % of the other, a third as large; the number is of its rows."""
    rows, rates, shares = 1000, (0.4, 0.3), (0.75, 0.25)
    if kind == "gap":
        truth, limit = -0.1, "max_gap"
        error = np.sqrt(sum(p * (1 - p) / (s * rows) for p, s in zip(rates, shares, strict=True)))
    else:
        truth, limit = np.log(0.75), "min_ratio"
        error = np.sqrt(sum((1 - p) / (p * s * rows) for p, s in zip(rates, shares, strict=True)))

    def judged(rng, rows, distance):
        small = rng.random(rows) < shares[1]
        chosen = rng.random(rows) < np.where(small, rates[1], rates[0])
        bound = truth - distance * error
        value = min(1.0, np.exp(bound)) if kind == "ratio" else max(0.0, -bound)
        policy = {"fairness": {"demographic_parity": {limit: value}}, "reference": {"group": "large"}}
        groups = {"group": np.where(small, "small", "large")}
        label = (rng.random(rows) < 0.5).astype(float)
        parsed = parse(SlicesPolicy, policy, field="policy")
        (check,) = judge_slices(scored(label, np.where(chosen, 0.9, 0.1), slices=groups), parsed).verdict.checks
        return check

    decided_at_what_is_named(judged, rows, PLACES[place], np.random.default_rng(95), record_property, kind)


# --- Counts, over every outcome: check_behavior, flips of measure_stability, check_serving ---


def decided_of_all(units, limit, truth, below, above):
    """Share decided among the outcomes that name a number, and the numbers with their weights."""
    numbers, weights, chances = [], [], []
    for failures in range(units + 1):
        weight = binom.pmf(failures, units, truth)
        ends = exact_bounds(failures, units, below=below, above=above)
        if weight < 1e-6 or decide(ends, bound=limit, direction="max") is not Status.INCONCLUSIVE:
            continue
        needed = units_needed(failures, units, limit, below=below, above=above)
        assert needed is not None
        most = binom.ppf(1 - above, needed, limit)
        most -= binom.cdf(most, needed, limit) > 1 - above
        least = binom.isf(1 - below, needed, limit) + 1
        numbers.append(needed)
        weights.append(weight)
        chances.append(binom.cdf(most, needed, truth) + binom.sf(least - 1, needed, truth))
    return float(np.average(chances, weights=weights)), numbers


@pytest.mark.parametrize(
    ("units", "limit", "rules", "truths"),
    [
        (50, 0.01, 1, (0.0, 0.001, 0.002, 0.02, 0.03, 0.05)),
        (200, 0.01, 1, (0.0, 0.001, 0.003, 0.005, 0.02, 0.03)),
        (100, 0.05, 5, (0.01, 0.02, 0.03, 0.08, 0.1)),
        (500, 0.01, 5, (0.002, 0.003, 0.005, 0.016, 0.02, 0.03)),
        (1000, 0.05, 10, (0.035, 0.04, 0.06, 0.065)),
    ],
)
def test_rates_of_broken_rules(units, limit, rules, truths, record_property):
    for truth in truths:
        share, numbers = decided_of_all(units, limit, truth, 1 - 0.05 / rules, 0.95)
        what = f"{units} units, {limit:.1%} allowed, {truth:.1%} true"
        record_property(what, f"{share:.0%}; numbers from {min(numbers):,} to {max(numbers):,}")
        assert share >= LEAST, what


def latencies(rng, rows):
    """A load at its rate whose every request is answered: median 20 ms, p95 54 ms."""
    start = np.arange(rows) / 100
    ended = start + 0.02 * np.exp(0.6 * rng.normal(size=rows))
    ones = np.ones(rows)
    return LoadResult(
        100, rows / 100, 5, start, start, start, ended, ones.astype(np.uint8), (200 * ones).astype(np.uint16)
    )


@pytest.mark.parametrize("place", PLACES)
def test_quantiles_of_latency(place, record_property):
    rows, q = 1000, 0.95

    def judged(rng, rows, distance):
        share = np.clip(1 - q - distance * np.sqrt(q * (1 - q) / 1000), 0.001, 0.2)  # above the bound
        bound = 20 * np.exp(0.6 * norm.isf(share))
        limits = parse(LatencyLimits, {"rate": 100, "seconds": 10, "p95_ms": bound, "p99_ms": None}, field="policy")
        found = run_latency(lambda *_: latencies(rng, rows), limits, confidence=0.95, seed=0)
        return judge_latency(found, limits)[0]

    decided_at_what_is_named(judged, rows, PLACES[place], np.random.default_rng(96), record_property, "p95")


# --- Spread over seeds: measure_stability ---


@pytest.mark.parametrize(
    ("ratio", "runs"),
    # 20 runs always decide at 0.4 and 2.5 times the cap.
    [(0.4, 5), (0.4, 10), (0.6, 5), (0.6, 10), (0.6, 20), (1.6, 5), (1.6, 10), (1.6, 20), (2.5, 5), (2.5, 10)],
)
def test_deviations_over_seeds(ratio, runs, record_property):
    """True deviations of so many times the cap, over equally likely outcomes."""
    chances, numbers = [], []
    for part in (np.arange(200) + 0.5) / 200:
        deviation = ratio * np.sqrt(chi2.ppf(part, runs - 1) / (runs - 1))
        if decide(chi_square_interval(deviation, runs - 1, 0.95), bound=1.0, direction="max") is Status.INCONCLUSIVE:
            needed = runs_to_decide(deviation, runs, 1.0, 0.95)
            if needed is None:
                continue
            df = needed - 1
            kept = chi2.cdf(chi2.ppf(0.025, df) / ratio**2, df)
            chances.append(kept + chi2.sf(chi2.isf(0.025, df) / ratio**2, df))
            numbers.append(needed)
    share = float(np.mean(chances))
    record_property(f"{runs} runs, {ratio} times the cap", f"{share:.0%}; {min(numbers)} to {max(numbers)} runs")
    assert share >= LEAST


# --- Mirrored requests: shadow, which counts on where it stands ---


@pytest.mark.parametrize(
    ("name", "flips", "errors"),
    [
        ("flips", 0.035, (0.001, 0.001)),
        ("flips", 0.065, (0.001, 0.001)),
        ("errors", 0.0, (0.001, 0.001)),
        ("errors", 0.0, (0.012, 0.002)),
    ],
)
def test_mirrored_pairs(name, flips, errors, record_property):
    rng = np.random.default_rng(97)
    policy = parse(ShadowPolicy, {"latency_ratio": False}, field="policy")

    def counted(requests):
        candidate, stable, pairs = rng.multinomial(requests, [*errors, 1 - sum(errors)])
        return np.array([pairs, rng.binomial(pairs, flips), candidate, stable])

    def check(counts):
        verdict = judge_shadow(ShadowCounts(*map(int, counts)), policy)
        return next(check for check in verdict.checks if check.name == name)

    decided, numbers = [], []
    for _ in range(20 * TRIALS):
        counts = counted(1000)
        found = check(counts)
        if found.status is Status.INCONCLUSIVE and found.rows_needed is not None:
            more = counted(found.rows_needed - found.sample_size)
            decided.append(check(counts + more).status is not Status.INCONCLUSIVE)
            numbers.append(found.rows_needed)
        if len(decided) == TRIALS:
            break
    spread = np.quantile(numbers, 0.9) / np.quantile(numbers, 0.1)
    record_property(name, f"{np.mean(decided):.0%} of {len(decided)}; 80% of numbers {spread:.0f}-fold")
    assert np.mean(decided) >= at_least(LEAST, len(decided))
