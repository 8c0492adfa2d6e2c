"""The skew gate on few rows: how often it fails or passes wrongly; and whether the rows that data gates name decide."""

import math

import numpy as np
import pytest

import tiers
from builders.moved_columns import CATEGORIES, LIMIT, NUMBERS, category, judge, number, sample
from gauntlet.data.comparators import Pair
from gauntlet.data.integrity.leakage import _needed, _status
from gauntlet.data.integrity.power import Outcome, power_of, quantile_codes
from gauntlet.data.noise_planning import rows_for_distance
from gauntlet.verdict import Status

pytestmark = pytest.mark.simulation

ALPHA = 0.05
TRAINING = 20_000
TRIALS = tiers.count(60, full=400)
FEWER = tiers.count(30, full=200)


def most(nominal: float, trials: int) -> float:
    """The nominal rate and two standard errors of what so many trials show of it, rounded to whole trials."""
    return math.ceil(trials * (nominal + 2 * math.sqrt(nominal * (1 - nominal) / trials))) / trials


SIZES = [(TRAINING, rows) for rows in (5, 10, 20, 30, 50, 150)] + [(30, 30), (80, 80), (15, 150), (180, 180)]


@pytest.mark.parametrize("sizes", SIZES, ids=[f"{before} and {after}" for before, after in SIZES])
def test_rows_of_one_distribution_fail_no_more_often_than_promised(sizes, record_property):
    """Over all laws together; and of none alone more often than chance has it in one of a thousand."""
    failed = {}
    for law in (*NUMBERS, *CATEGORIES):
        rng = np.random.default_rng([*sizes, *law.encode()])
        statuses = [
            judge(*(sample(law, rng, rows) for rows in sizes), alpha=ALPHA, seed=n, replicates=1_000)[0]
            for n in range(FEWER)
        ]
        failed[law] = sum(status is Status.FAIL for status in statuses) / FEWER
    record_property(
        "failed", f"{100 * np.mean(list(failed.values())):.1f} %, at most {100 * max(failed.values()):.1f} %"
    )
    assert np.mean(list(failed.values())) <= ALPHA
    assert max(failed.values()) <= ALPHA + 3.5 * math.sqrt(ALPHA * (1 - ALPHA) / FEWER)


def tilted(rng, rows, share):
    grades = rng.choice([1.0, 2, 3, 4, 5], rows, p=[0.05, 0.1, 0.2, 0.4, 0.25])
    return np.minimum(5, grades + (rng.random(rows) < share))


# Law → sample by (generator, rows, how far), how far it is moved for 0.048 bits, and for 0.053 to 0.06 bits.
MOVED = {
    "shift": (lambda rng, rows, far: number(rng.normal(far, 1, rows)), 0.54, 0.59),
    "spread": (lambda rng, rows, far: number(rng.normal(0, 1 + far, rows)), 0.54, 0.60),
    "fewer zeros": (
        lambda rng, rows, far: number(np.where(rng.random(rows) < 0.95 - far, 0.0, rng.lognormal(0, 1, rows))),
        0.17,
        0.20,
    ),
    "better grades": (lambda rng, rows, far: number(tilted(rng, rows, far)), 0.62, 0.69),
    "one of three": (
        lambda rng, rows, far: category(rng.multinomial(rows, [0.5 - far, 0.3, 0.2 + far])),
        0.048,
        0.052,
    ),
    "a rare one": (lambda rng, rows, far: category(rng.multinomial(rows, [0.99 - far, 0.01 + far])), 0.048, 0.052),
}


@pytest.mark.parametrize("rows", [20, 60, 250, 1_000])
@pytest.mark.parametrize("law", MOVED)
def test_at_the_limit_neither_side_is_claimed_more_often_than_promised(law, rows, record_property):
    draw, within, beyond = MOVED[law]
    rng = np.random.default_rng([rows, *law.encode()])
    found = {
        far: [
            judge(draw(rng, TRAINING, 0.0), draw(rng, rows, far), alpha=ALPHA, seed=n, replicates=1_000)[0]
            for n in range(FEWER)
        ]
        for far in (within, beyond)
    }
    failed = sum(status is Status.FAIL for status in found[within]) / FEWER
    passed = sum(status is Status.PASS for status in found[beyond]) / FEWER
    record_property("wrong", f"{100 * failed:.1f} % fail just within, {100 * passed:.1f} % pass just beyond")
    assert failed <= most(ALPHA, FEWER)
    assert passed <= most(ALPHA, FEWER)


@pytest.mark.parametrize(("law", "far", "rows"), [
    ("shift", 2.5, 15), ("shift", 1.5, 50), ("shift", 1.0, 150), ("spread", 2.0, 60), ("fewer zeros", 0.6, 20),
    ("one of three", 0.25, 100),
])  # fmt: skip
def test_what_moved_is_found_in_few_rows(law, far, rows, record_property):
    draw, _, _ = MOVED[law]
    rng = np.random.default_rng([rows, *law.encode()])
    statuses = [judge(draw(rng, TRAINING, 0.0), draw(rng, rows, far), alpha=0.005, seed=n)[0] for n in range(FEWER)]
    found = sum(status is Status.FAIL for status in statuses) / FEWER
    record_property("found", f"{100 * found:.0f} %")
    assert found >= 0.8


@pytest.mark.parametrize(("law", "far", "rows"), [
    ("shift", 0.0, 60), ("shift", 0.75, 150), ("spread", 0.0, 60), ("fewer zeros", 0.0, 20), ("better grades", 0.0, 20),
    ("one of three", 0.0, 60), ("one of three", 0.0, 250), ("one of three", 0.1, 250), ("a rare one", 0.0, 60),
])  # fmt: skip
def test_the_rows_named_decide_in_six_of_ten_samples(law, far, rows, record_property):
    """Each of the samples that are not decided names a number of rows; another sample of so many rows is drawn."""
    draw, _, _ = MOVED[law]
    rng = np.random.default_rng([rows, int(10 * far), *law.encode()])
    before, named, decided = draw(rng, TRAINING, 0.0), [], []
    for seed in range(TRIALS):
        after = draw(rng, rows, far)
        status, distance, noise = judge(before, after, alpha=0.01, seed=seed)
        if status is not Status.INCONCLUSIVE:
            continue
        wanted = rows_for_distance(Pair(before, after), distance, noise, limit=LIMIT, alpha=0.01, seed=seed)
        if wanted is not None:
            named.append(wanted)
            decided.append(judge(before, draw(rng, wanted, far), alpha=0.01, seed=seed)[0] is not Status.INCONCLUSIVE)
    record_property("decided", f"{100 * np.mean(decided):.0f} % at {np.median(named):,.0f} rows")
    assert len(decided) >= TRIALS / 10
    assert np.mean(decided) >= 0.6 - 2 * math.sqrt(0.24 / len(decided))


def labelled(rng, rows, distance):
    """A column by which the label can be told, the better the farther apart its two normal distributions are."""
    label = rng.random(rows) < 0.3
    fold = rng.integers(0, 5, rows)
    values = rng.normal(size=rows) + distance * label
    outcome = Outcome(label.astype(float)[:, None], fold, 5, None, regression=False)
    return quantile_codes(values, np.zeros(rows, dtype=bool), 64), outcome


@pytest.mark.parametrize("distance", [2.45, 2.55], ids=["AUC .958", "AUC .964"])
def test_the_rows_named_for_leakage_decide_in_six_of_ten_samples(distance, record_property):
    rng = np.random.default_rng(int(100 * distance))
    named, decided = [], []
    for _ in range(TRIALS):
        power = power_of(*labelled(rng, 600, distance), 0.01)
        if _status(power, 0.97) is not Status.INCONCLUSIVE:
            continue
        rows = _needed(power, 0.97, 600, 0.01)
        if rows is None or rows > 200_000:
            continue
        named.append(rows)
        larger = power_of(*labelled(rng, rows, distance), 0.01)
        decided.append(_status(larger, 0.97) is not Status.INCONCLUSIVE)
    record_property("decided", f"{100 * np.mean(decided):.0f} % at {np.median(named):,.0f} rows")
    assert len(decided) >= TRIALS / 10
    assert np.mean(decided) >= 0.6 - 2 * math.sqrt(0.24 / len(decided))


@pytest.mark.parametrize(
    ("distance", "most"), [(0.0, 0.0), (1.0, 0.0), (1.8, 0.02)], ids=["AUC .5", "AUC .76", "AUC .90"]
)
def test_chance_alone_takes_no_honest_column_beyond_the_limit(distance, most, record_property):
    """At fifty rows of the smaller class, the fewest that are judged."""
    rng = np.random.default_rng(int(100 * distance))
    found = [power_of(*labelled(rng, 170, distance), 0.01) for _ in range(4 * TRIALS)]
    stopped = float(np.mean([_status(power, 0.97) is Status.FAIL for power in found]))
    record_property("stopped", f"{100 * stopped:.2f} %, strongest {max(power.value for power in found):.3f}")
    assert stopped <= most
