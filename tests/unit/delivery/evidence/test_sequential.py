import json
import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from builders.rollouts import Interval, evidence
from gauntlet.delivery.evidence.bets import log_bets, prior_rate
from gauntlet.delivery.evidence.counts import Counts
from gauntlet.delivery.evidence.sequential import (
    Direction,
    Process,
    Test,
    begin,
    e_value,
    log_e_value,
    log_e_values,
    restart,
    update,
    update_all,
)
from gauntlet.errors import ConfigurationError, DataError


def counts_up_to(requests):
    hits = st.integers(0, requests)
    return st.builds(lambda x, c, y, s: Counts(x, x + c, y, y + s), hits, hits, hits, hits)


intervals = st.lists(counts_up_to(10_000), max_size=8)
designs = st.builds(
    Test,
    direction=st.sampled_from(Direction),
    rho=st.sampled_from([0.0, 0.5, 1.0, 1.1]),
    delta=st.sampled_from([0.0, 0.002, 0.05]),
    phi=st.sampled_from([1.0, 3.7]),
    starts=st.just(9),
)


def run(test, path, **begun):
    process = begin(test, **begun)
    for counts in path:
        process = update(process, counts)
    return process


@given(st.lists(st.tuples(designs, intervals, counts_up_to(1000)), max_size=6))
def test_many_processes_at_once_are_the_same_bit_for_bit(many):
    processes = [run(test, path) for test, path, _ in many]
    processes = [restart(process) if index % 2 else process for index, process in enumerate(processes)]
    last = [counts for *_, counts in many]
    one_by_one = [update(process, counts) for process, counts in zip(processes, last, strict=True)]
    assert update_all(processes, last) == one_by_one
    assert log_e_values(one_by_one).tolist() == [log_e_value(process) for process in one_by_one]


def test_evidence_starts_at_one():
    for direction in Direction:
        assert e_value(begin(Test(direction, starts=3))) == 1


def test_a_path_is_the_product_of_its_intervals():
    """By hand: the centre of a bet is what was known before it."""
    test = Test(delta=0.002)
    first, second = Counts(3, 100, 9, 900), Counts(8, 200, 7, 800)
    log_e = log_bets(3, 100, 9, 900, 0.0, rho=1.0, delta=0.002, psi=test.psi)
    log_e = log_e + log_bets(8, 200, 7, 800, (12 - 0.2) / 1001, rho=1.0, delta=0.002, psi=test.psi)
    assert e_value(run(test, [first, second])) == pytest.approx(np.exp(log_e).mean(), rel=1e-12)


def test_two_errors_against_none_are_no_proof_with_a_margin():
    """At δ = 0 they nearly are, at one request in twenty for the canary."""
    two = [Counts(2, 50, 0, 950)]
    assert e_value(run(Test(delta=0.0), two)) > 20
    assert e_value(run(Test(delta=0.002), [Counts(0, 500, 0, 9500), *two])) < 20


def test_a_mean_over_starts_counts_those_to_come():
    process = update(begin(Test(starts=4)), Counts(0, 500, 20, 4500))
    alone = np.exp(process.log_e[0]).mean()
    assert e_value(process) == pytest.approx((alone + 3) / 4)
    process = restart(process)
    assert e_value(process) == pytest.approx((alone + 3) / 4)
    later = update(process, Counts(30, 1000, 90, 9000))
    assert e_value(later) == pytest.approx(np.mean([*(np.exp(start).mean() for start in later.log_e), 1, 1]))
    assert np.exp(later.log_e[1]).mean() > 20 * alone


def test_a_canary_good_at_first_and_bad_later_is_found_by_the_later_start():
    good, bad = Counts(0, 1000, 90, 9000), Counts(30, 1000, 90, 9000)
    without = run(Test(starts=1), [good] * 5 + [bad])
    assert e_value(without) < 1
    process = restart(run(Test(starts=2), [good] * 5))
    assert e_value(update(process, bad)) > 20


def test_a_canary_bad_since_the_last_step_is_not_called_not_worse():
    test = Test(Direction.NOT_WORSE, delta=0.005, starts=2)
    process = run(test, [Counts(10, 1000, 90, 9000)] * 30)
    assert e_value(process) > 20
    process = update(restart(process), Counts(30, 1000, 90, 9000))
    assert e_value(process) < 1
    assert np.exp(process.log_e[0]).mean() > 20


def outcomes(n_c, n_s, canary, stable):
    for x, y in product(range(n_c + 1), range(n_s + 1)):
        yield Counts(x, n_c, y, n_s), binom.pmf(x, n_c, canary) * binom.pmf(y, n_s, stable)


@pytest.mark.parametrize("direction", Direction)
@pytest.mark.parametrize("restarted", [False, True], ids=["one start", "a start in between"])
@pytest.mark.parametrize("rates", [(0.1, 0.1), (0.02, 0.6)], ids=["constant", "drifting"])
def test_two_intervals_on_the_margin_leave_the_mean_at_most_one(direction, restarted, rates):
    """Summed over all outcomes of both intervals, through state, restart and mixture."""
    delta, mean = 0.05, 0.0
    for first, chance in outcomes(3, 4, rates[0] + delta, rates[0]):
        process = update(begin(Test(direction, delta=delta, starts=2)), first)
        process = restart(process) if restarted else process
        for second, then in outcomes(4, 2, rates[1] + delta, rates[1]):
            mean += chance * then * e_value(update(process, second))
    assert 0.2 < mean <= 1 + 1e-12


@given(designs, intervals)
def test_what_was_stored_goes_on_bit_for_bit(test, path):
    straight = begin(test)
    resumed = begin(test)
    for counts in path:
        straight = restart(update(straight, counts))
        resumed = restart(update(Process.from_json(json.loads(json.dumps(resumed.to_json()))), counts))
    assert resumed == straight
    assert math.isfinite(log_e_value(straight))


@given(intervals)
def test_more_canary_errors_are_never_less_evidence_of_harm(path):
    """In the last interval: earlier ones move the centre of later bets as well."""
    before = run(Test(), path[:-1])
    for last in path[-1:]:
        more = Counts(last.canary_requests, last.canary_requests, last.stable_hits, last.stable_requests)
        assert log_e_value(update(before, more)) >= log_e_value(update(before, last)) - 1e-9


@given(designs, intervals)
def test_a_larger_phi_moves_the_evidence_towards_none(test, path):
    weak, weaker = (run(Test(test.direction, test.rho, test.delta, phi), path) for phi in (1.0, 4.0))
    np.testing.assert_allclose(np.asarray(weaker.log_e) * 4, weak.log_e, rtol=1e-9, atol=1e-9)


def test_many_rollouts_at_once_are_as_one():
    """The simulations drive arrays; the rollout drives states."""
    test = Test(delta=0.002, phi=2.0, starts=2)
    path = [Counts(3, 100, 9, 900), Counts(0, 0, 7, 800), Counts(9, 400, 7, 600)]
    process, single = begin(test, baseline=(50, 5000)), []
    for index, counts in enumerate(path):
        process = update(restart(process) if index == 2 else process, counts)
        single.append(log_e_value(process))
    rows = [
        Interval(*(np.array([getattr(counts, name)] * 2) for name in Counts.__dataclass_fields__), index in (0, 2))
        for index, counts in enumerate(path)
    ]
    together = list(evidence(test, rows, baseline=(50, 5000)))
    np.testing.assert_allclose(together, np.array([single, single]).T, rtol=1e-12)


def test_a_billion_requests_keep_their_digits():
    """Ten million small intervals of equal share and centre would sum to the same."""
    centre = prior_rate(10**7, 0, 10**9, rho=1.0, delta=0.002)
    test = Test(delta=0.002)
    process = run(test, [Counts(1_300_000, 10**8, 9_000_000, 9 * 10**8)], baseline=(10**7, 10**9))
    small = log_bets(13, 1000, 90, 9000, centre, rho=1.0, delta=0.002, psi=test.psi)
    np.testing.assert_allclose(process.log_e[0], small * 10**5, rtol=1e-8)
    assert e_value(process) == math.inf


def test_a_baseline_is_no_evidence_but_helps():
    harm = [Counts(5, 30, 200, 1000)] * 3
    test = Test(delta=0.0)
    assert e_value(begin(test, baseline=(2000, 10_000))) == 1
    assert e_value(run(test, harm, baseline=(2000, 10_000))) != e_value(run(test, harm))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"rho": -0.1}, "rho: must be a finite number"),
        ({"delta": 1.0}, r"delta: must lie in \[0, 1\)"),
        ({"delta": math.nan}, "delta"),
        ({"phi": 0.5}, "phi: must be a finite number of at least 1"),
        ({"starts": 0}, "starts: must be a whole number of at least 1"),
    ],
)
def test_a_test_that_means_nothing_is_refused(values, message):
    with pytest.raises(ConfigurationError, match=message):
        Test(**values)


def test_a_start_that_was_not_planned_is_refused():
    with pytest.raises(ConfigurationError, match="no start left"):
        restart(begin(Test(starts=1)))


@pytest.mark.parametrize("baseline", [(3, 2), (-1, 2), (0.5, 2)])
def test_an_impossible_baseline_is_refused(baseline):
    with pytest.raises(DataError, match="baseline"):
        begin(Test(), baseline=baseline)


@pytest.mark.parametrize(
    "damage",
    [
        {"format": "gauntlet.e-process/0"},
        {"log_e": [[0.0]]},
        {"log_e": []},
        {"log_e": [[float("nan")] * len(Test().psi)]},
        {"log_e": [[0.0] * len(Test().psi)] * 2},
        {"hits": 5.0},
        {"hits": -1.0},
        {"test": {"direction": "sideways"}},
        {"test": {"direction": "harm", "phi": 0.0}},
        {"test": None},
    ],
    ids=lambda damage: str(damage)[:40],
)
def test_a_damaged_state_is_refused(damage):
    with pytest.raises(DataError, match="e-process: is not the state of a test"):
        Process.from_json(begin(Test()).to_json() | damage)
