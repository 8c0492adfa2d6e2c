"""Do intervals of areas and losses hold where few rows matter, and where a sample may not have met those that do?

An interval whose end lies beyond the truth lets a gate pass, or fail, wrongly at a bound on that truth. So each end may
err in 2.5 % of the trials. Trials are slices of one partition, so that many of them are a few calls. Truths come from
closed forms or from millions of draws, never from the code under test.
"""

from functools import cache

import numpy as np
import pytest
from scipy.stats import norm

from builders.trials import at_least, at_most
from gauntlet.evaluation.families import differences, gaps, levels
from gauntlet.evaluation.intervals import intervals
from gauntlet.evaluation.metrics import resolve
from gauntlet.evaluation.panel import measure
from gauntlet.evaluation.sample import sample
from gauntlet.evaluation.slices import Partition
from tiers import count

pytestmark = pytest.mark.simulation

TRIALS = count(200, full=2000)
AT_ONCE = 50
MOST = at_most(0.025, TRIALS)
MANY = 2_000_000


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def area(label, score):
    """P(positive above negative) by ranks."""
    order = np.argsort(score)
    ranks = np.empty(len(score))
    ranks[order] = np.arange(1, len(score) + 1)
    _, code, size = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.bincount(code, ranks) / size)[code]
    positives = int(label.sum())
    wins = ranks[label == 1].sum() - positives * (positives + 1) / 2
    return wins / (positives * (len(label) - positives))


def errors(ends, truth, record_property, law):
    """(metrics,) shares of trials whose interval lies above the truth, and of those below it."""
    above, below = (ends[..., 0] > truth).mean(axis=0), (ends[..., 1] < truth).mean(axis=0)
    for what, shares in (("low end above the truth", above), ("high end below it", below)):
        record_property(f"{law}: {what}", ", ".join(f"{share:.1%}" for share in shares))
    return above, below


# --- Two models of which one differs in a few rows ---

RANDOM = lambda rng, size: -2.5 + 1.5 * rng.normal(size=size)  # noqa: E731 - what a broken join leaves
CHANGES = {
    "a hundredth of the rows at random": (0.01, "all", RANDOM),
    "a hundredth of the positives at random": (0.01, "positives", RANDOM),
    "a fiftieth of the rows with a default": (0.02, "all", lambda _, size: np.full(size, -3.5)),
    "a hundredth of the champion's rows at random": (0.01, "champion", RANDOM),
    "a fiftieth of the positives two deviations lower": (0.02, "lower", None),
}
PAIRED = ("auc", "log_loss", "brier")


def pair(rng, rows, positives, change):
    """Label, and the logits of challenger and champion: equal but for the change, an area of 0.990."""
    share, whose, broken = CHANGES[change]
    label = (rng.random(rows) < positives).astype(float)
    logit = -2.5 + 3.29 * label + rng.normal(size=rows)
    hit = rng.random(rows) < share
    if whose in ("positives", "lower"):
        hit &= label == 1
    changed = np.where(hit, logit - 2 if whose == "lower" else broken(rng, rows), logit)
    return (label, logit, changed) if whose == "champion" else (label, changed, logit)


PREVALENCE = 0.03


@cache
def true_differences(change):
    truth = np.zeros(len(PAIRED))
    for part in range(4):
        label, *logits = pair(np.random.default_rng([42, part]), MANY, PREVALENCE, change)
        for sign, logit in zip((1, -1), logits, strict=True):
            loss = np.logaddexp(0, np.where(label == 1, -logit, logit)).mean()
            truth += sign / 4 * np.array([area(label, logit), loss, ((sigmoid(logit) - label) ** 2).mean()])
    return truth


def differences_of(change, rows):
    rng = np.random.default_rng([41, rows])
    partition = Partition("trial", np.repeat(np.arange(AT_ONCE), rows), tuple(map(str, range(AT_ONCE))))
    ends = []
    for _ in range(TRIALS // AT_ONCE):
        label, first, second = pair(rng, AT_ONCE * rows, PREVALENCE, change)
        models = [sample(label, sigmoid(logit), task="binary") for logit in (first, second)]
        panel = measure(models, resolve(PAIRED, "binary"), [partition])
        ends.append(intervals(differences(panel)).reshape(-1, len(PAIRED), 2)[1:])
    return np.concatenate(ends)


@pytest.mark.parametrize("positives", [30, 100, 150, 300])
@pytest.mark.parametrize("change", CHANGES)
def test_a_difference_in_few_rows_is_neither_passed_nor_failed_wrongly(change, positives, record_property):
    """A champion with a broken percent passed a margin that it exceeds in a third of all trials."""
    ends = differences_of(change, round(positives / PREVALENCE))
    above, below = errors(ends, true_differences(change), record_property, f"{change}, {positives} positives")
    assert (above <= MOST).all(), above
    assert (below <= MOST).all(), below


# --- Areas of scores with heavy tails ---


def heavy(rng, rows, prevalence):
    label = rng.random(rows) < prevalence
    return label, 4.0 * label + rng.standard_t(3, size=rows)


def mislabelled(rng, rows, prevalence):
    """One in twenty positives scores as the negatives do."""
    label = rng.random(rows) < prevalence
    return label, 3.0 * (label & (rng.random(rows) >= 0.05)) + rng.normal(size=rows)


def broken(rng, rows, prevalence):
    label = rng.random(rows) < prevalence
    return label, np.where(rng.random(rows) < 0.01, 1.5 * rng.normal(size=rows), 3.29 * label + rng.normal(size=rows))


def cauchy(rng, rows, prevalence):
    label = rng.random(rows) < prevalence
    return label, 6.0 * label + rng.standard_cauchy(size=rows)


def steps(rng, rows, prevalence):
    label = rng.random(rows) < prevalence
    return label, np.clip(np.round(2.5 * label + rng.normal(size=rows)), -2, 4)


AREAS = {
    "t3 scores, 30 positives": (heavy, 6000, 0.005),
    "t3 scores, 100 positives": (heavy, 2000, 0.05),
    "t3 scores, 300 positives": (heavy, 6000, 0.05),
    "one in a hundred broken, 30 positives": (broken, 1000, 0.03),
    "one in a hundred broken, 150 positives": (broken, 5000, 0.03),
    "one positive in twenty as the negatives, 20": (mislabelled, 400, 0.05),
    "one positive in twenty as the negatives, 150": (mislabelled, 3000, 0.05),
    "Cauchy scores, 50 positives": (cauchy, 1000, 0.05),
    "seven scores, 50 positives": (steps, 1000, 0.05),
}


@pytest.mark.parametrize("law", AREAS)
def test_an_area_is_not_taken_for_better_than_it_is(law, record_property):
    draw, rows, prevalence = AREAS[law]
    rng, ends = np.random.default_rng(43), []
    for _ in range(TRIALS // AT_ONCE):
        label, score = draw(rng, AT_ONCE * rows, prevalence)
        partition = Partition("trial", np.repeat(np.arange(AT_ONCE), rows), tuple(map(str, range(AT_ONCE))))
        model = sample(label.astype(float), norm.cdf(score / 3), task="binary")
        ends.append(intervals(levels(measure([model], resolve(["auc"], "binary"), [partition])))[1:])
    truth = np.mean([area(*draw(np.random.default_rng([44, part]), MANY, 0.5)) for part in range(2)])
    found = np.concatenate(ends)
    above, below = errors(found[:, None], truth, record_property, law)
    assert above[0] <= MOST
    assert below[0] <= MOST + 0.005, "above, where there is little room, it may err a little more"


# --- Errors with heavy tails ---

ERRORS = {
    "normal": (lambda rng, size: rng.normal(size=size), 1.0),
    "double-exponential": (lambda rng, size: rng.laplace(size=size), 2.0),
    "t5": (lambda rng, size: rng.standard_t(5, size=size), 5 / 3),
    "t3": (lambda rng, size: rng.standard_t(3, size=size), 3.0),
    "log-normal, deviation 1": (lambda rng, size: rng.choice([-1, 1], size) * np.exp(rng.normal(size=size)), np.exp(2)),
    "log-normal, deviation 1.5": (
        lambda rng, size: rng.choice([-1, 1], size) * np.exp(1.5 * rng.normal(size=size)),
        np.exp(4.5),
    ),
    "log-normal, one-sided": (lambda rng, size: np.exp(rng.normal(size=size)) - np.exp(0.5), np.exp(2) - np.exp(1)),
}


@pytest.mark.parametrize("rows", [200, 2000])
@pytest.mark.parametrize("law", ERRORS)
def test_a_mean_error_is_not_taken_for_smaller_than_it_is(law, rows, record_property):
    """``rmse: {max: …}`` passed wrongly in up to 41 % of the trials. Squares of t₃ errors have no variance: there one
    end in twenty may err, where one in forty should."""
    draw, square = ERRORS[law]
    rng, ends = np.random.default_rng(45), []
    for _ in range(TRIALS // AT_ONCE):
        label = rng.normal(size=AT_ONCE * rows)
        partition = Partition("trial", np.repeat(np.arange(AT_ONCE), rows), tuple(map(str, range(AT_ONCE))))
        model = sample(label, label + draw(rng, AT_ONCE * rows), task="regression")
        panel = measure([model], resolve(["rmse", "r2"], "regression"), [partition])
        ends.append(intervals(levels(panel)).reshape(-1, 2, 2)[1:])
    found, truth = np.concatenate(ends), np.array([np.sqrt(square), 1 - square])
    above, below = errors(found, truth, record_property, f"{law}, {rows} rows")
    allowed = MOST if law != "t3" else at_most(0.05, TRIALS)
    assert below[0] <= allowed, "the root mean square's high end"
    assert above[1] <= allowed, "R²'s low end"
    assert above[0] <= MOST
    bounded = float(np.isfinite(found[:, 0, 1]).mean())
    record_property(f"{law}, {rows} rows: share with an upper end", bounded)
    if law in ("normal", "double-exponential", "t5"):
        assert bounded > 0.8, "never to decide is no mend"


def test_ratios_of_slices_of_heavy_errors_hold_together(record_property):
    """Ten slices of 150 rows; with intervals from variances alone all ten held in a quarter of the trials."""
    trials = count(100, full=400)
    together, failed = [], []
    partition = Partition("slice", np.repeat(np.arange(10), 150), tuple(map(str, range(10))))
    for trial in range(trials):
        rng = np.random.default_rng([46, trial])
        label = rng.normal(size=1500)
        model = sample(label, label + ERRORS["log-normal, deviation 1.5"][0](rng, 1500), task="regression")
        panel = measure([model], resolve(["rmse"], "regression"), [partition], rest=True)
        ends = intervals(gaps(panel, ratio=True), simultaneous=True)
        together.append((ends[:, 0] <= 1).all() and (ends[:, 1] >= 1).all())
        failed.append((ends[:, 0] > 1.5).any())
    record_property("hold together", float(np.mean(together)))
    assert np.mean(together) >= at_least(0.95, trials)
    assert np.mean(failed) <= at_most(0.05, trials)


# --- What is decided all the same ---


@pytest.mark.parametrize(
    ("positives", "alike", "least"), [(500, 0.99, 0.5), (1000, 0.95, 0.55), (2000, 0.95, 0.95), (5000, 0.9, 0.9)]
)
def test_equal_models_pass_with_about_the_rows_they_needed(positives, alike, least, record_property):
    """Retrained models, whose scores correlate: without room for unmet rows 95, 75, 100 and 98 % passed."""
    trials, rows = count(60, full=400), positives * 5
    passed = []
    for trial in range(trials):
        rng = np.random.default_rng([47, trial])
        label = (rng.random(rows) < 0.2).astype(float)
        noise = rng.normal(size=(2, rows))
        logits = 1.8 * label + noise[0], 1.8 * label + alike * noise[0] + np.sqrt(1 - alike**2) * noise[1]
        panel = measure([sample(label, sigmoid(z), task="binary") for z in logits], resolve(["auc"], "binary"))
        passed.append(intervals(differences(panel))[0, 0] > -0.005)
    record_property("passed", float(np.mean(passed)))
    assert np.mean(passed) >= at_least(least, trials)
