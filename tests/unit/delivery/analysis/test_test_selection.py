import math
from dataclasses import replace

import pytest

from gauntlet.delivery.analysis.plan import AnalysisPlan
from gauntlet.delivery.analysis.state import Tests
from gauntlet.delivery.analysis.test_selection import MOST_SLICES, choose, counted, kept
from gauntlet.delivery.counters.source import Counters
from gauntlet.delivery.evidence.counts import Counts
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.settings import parse

DECILES = {number / 10: 100.0 * number for number in range(1, 10)} | {math.inf: 1000.0}
BASELINE = Counters(
    1000,
    10,
    {0.1: 600.0, 0.5: 900.0, 1.0: 990.0, 5.0: 1000.0, math.inf: 1000.0},
    DECILES,
    {
        "sex=Female": DECILES,
        "sex=Male": {edge: 2 * count for edge, count in DECILES.items()},
        "sex=(other)": {0.5: 1.0, math.inf: 2.0},
    },
)


def plan(**values):
    return parse(AnalysisPlan, values, field="analysis")


def test_tests_are_chosen_where_stable_tells_something():
    tests = choose(plan(metrics=["errors", "latency", "scores", "slices"]), BASELINE)
    assert tests.boundaries == (0.5, 1.0)  # tails of 10 and 1 %
    assert tests.edges == tuple(number / 10 for number in range(1, 10))
    assert list(tests.slices) == ["sex=Male", "sex=Female"]  # the busiest first, and none with two scores
    assert tests.slices["sex=Female"] == (0.3, 0.5, 0.8)
    assert tests.left_out == {}


def test_the_promised_latency_is_the_only_boundary():
    assert choose(plan(latency={"objective_seconds": 0.1}), BASELINE).boundaries == (0.1,)
    with pytest.raises(ConfigurationError, match="objective: is not a bucket"):
        choose(plan(latency={"objective_seconds": 0.2}), BASELINE)


def test_where_nearly_everything_is_fast_the_first_boundary_above_it_is_tested():
    fast = replace(BASELINE, latency={0.001: 400.0, 0.0025: 1000.0, 0.005: 1000.0, math.inf: 1000.0})
    assert choose(plan(), fast).boundaries == (0.0025,)


def test_where_most_is_slower_than_every_boundary_nothing_can_be_compared():
    slow = replace(BASELINE, latency={0.001: 0.0, 0.005: 10.0, math.inf: 1000.0})
    with pytest.raises(DataError, match="no boundary has between"):
        choose(plan(), slow)


def test_what_is_not_kept_is_left_out_where_it_is_not_required():
    bare = Counters(1000, 10)
    with pytest.raises(DataError, match="latency: the stable version keeps no histogram of seconds"):
        choose(plan(), bare)
    tests = choose(plan(latency={"required": False}), bare)
    assert tests.metrics == ("errors",)
    assert set(tests.left_out) == {"latency", "scores"}
    with pytest.raises(DataError, match="nothing that has a say"):
        choose(plan(metrics=["scores"]), bare)
    with pytest.raises(DataError, match="nothing that has a say"):
        choose(plan(metrics=["errors", "scores"], dry_run=["errors"]), bare)


def test_a_constant_score_has_no_edges():
    constant = replace(BASELINE, scores={0.1: 0.0, 0.9: 1000.0, math.inf: 1000.0})
    assert "scores" in choose(plan(), constant).left_out


def test_only_the_busiest_slices_are_tested():
    many = {f"region={number}": {edge: count + number for edge, count in DECILES.items()} for number in range(20)}
    found = choose(plan(metrics=["slices", "errors"]), replace(BASELINE, sliced=many)).slices
    assert list(found) == [f"region={number}" for number in range(19, 19 - MOST_SLICES, -1)]


TESTS = Tests(("errors", "latency", "scores", "slices"), (0.5,), (0.3,), {"sex=Female": (0.5,)})


def test_counts_of_every_test():
    found = counted(TESTS, kept(TESTS, BASELINE), Counters(20, 1))
    assert found["errors"] == {"errors": Counts(10, 1000, 1, 20)}
    assert found["latency"] == {"le=0.5": Counts(100, 1000, 0, 0)}  # stable showed none: the interval says nothing
    assert found["scores"] == {"above 0.3": Counts(700, 1000, 0, 0), "up to 0.3": Counts(300, 1000, 0, 0)}
    assert set(found["slices"]) == {"sex=Female above 0.5", "sex=Female up to 0.5"}


def test_only_what_is_tested_is_kept():
    small = kept(TESTS, BASELINE)
    assert small.latency == {0.5: 900.0, math.inf: 1000.0}
    assert set(small.sliced) == {"sex=Female"}
    assert kept(TESTS, Counters(3, 0)).latency == {}


def test_a_version_with_other_buckets_cannot_be_compared():
    with pytest.raises(DataError, match="latency: has no such boundary"):
        kept(TESTS, Counters(3, 0, {0.25: 2.0, math.inf: 3.0}))
