"""What mirrored requests say of a candidate: every check passes, fails and cannot tell somewhere."""

import math
from dataclasses import replace

import pytest

from builders.shadows import LE, shadow
from gauntlet.delivery.evidence.pairs import Pairs, log_not_worse, log_worse
from gauntlet.delivery.shadow.gate import ShadowCounts, ShadowPolicy, judge_shadow
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.settings import parse
from gauntlet.verdict import Status

POLICY = ShadowPolicy()
GOOD = shadow()


def found(seen, name, policy=POLICY):
    return next(check for check in judge_shadow(seen, policy).checks if check.name == name)


def test_a_candidate_like_stable_passes():
    verdict = judge_shadow(GOOD, POLICY)
    assert verdict.status is Status.PASS
    assert [check.name for check in verdict.checks] == ["flips", "errors", "latency", "copies"]
    assert verdict.summary == "On 20,000 mirrored requests the candidate stays within every limit."
    assert verdict.facts["pairs"] == 20_000


@pytest.mark.parametrize("policy", [POLICY, ShadowPolicy(min_pairs=1)])
def test_nothing_mirrored_is_inconclusive(policy):
    verdict = judge_shadow(ShadowCounts(0, 0, 0, 0), policy)
    assert {check.status for check in verdict.checks} == {Status.INCONCLUSIVE}


def test_flips_beyond_the_limit_fail():
    check = found(replace(GOOD, flips=2_000), "flips")
    assert check.status is Status.FAIL
    assert check.interval is not None
    assert check.interval[0] > 0.05
    assert "2,000 of 20,000 pairs were decided otherwise, 10.00%" in check.reason


def test_flips_near_the_limit_cannot_tell_and_say_how_many_pairs_would():
    seen = replace(shadow(scale=0.1), flips=90)
    check = found(seen, "flips")
    assert check.status is Status.INCONCLUSIVE
    many = replace(seen, flips=90 * check.rows_needed // 2_000, pairs=check.rows_needed, **no_histograms())
    assert found(many, "flips").status is Status.PASS


def test_on_the_limit_no_number_of_pairs_would_tell():
    check = found(replace(shadow(scale=0.1), flips=100), "flips")
    assert (check.status, check.rows_needed) == (Status.INCONCLUSIVE, None)


def test_a_candidate_that_fails_more_often_fails():
    assert found(replace(GOOD, candidate_errors=400), "errors").status is Status.FAIL
    verdict = judge_shadow(ShadowCounts(0, 0, candidate_errors=40, stable_errors=0), POLICY)
    assert verdict.status is Status.FAIL
    assert verdict.summary.startswith("100.00% of 40 mirrored requests failed at the candidate, 0.00% at stable")


def test_a_shared_outage_speaks_against_nobody():
    assert found(replace(GOOD, both_errors=5_000), "errors").status is Status.PASS


def test_a_few_failures_more_cannot_tell():
    assert found(replace(shadow(scale=0.05), candidate_errors=4, stable_errors=0), "errors").status is (
        Status.INCONCLUSIVE
    )


def slower(seen, boundary, answers):
    """As many answers of the candidate more above a boundary: the slowest of those that were not."""
    left = seen.candidate_latency[boundary] - answers
    moved = {le: min(n, left) if le <= boundary else n for le, n in seen.candidate_latency.items()}
    return replace(seen, candidate_latency=moved)


@pytest.mark.parametrize("boundary", [0.025, 0.1])
def test_a_candidate_that_is_slow_more_often_fails_at_the_boundary_that_shows_it(boundary):
    check = found(slower(GOOD, boundary, 1_000), "latency")
    assert check.status is Status.FAIL
    assert f"longer than {boundary:g} s" in check.reason


def test_slow_where_stable_never_is_fails_as_well():
    seen = shadow(latency=[0.9, 0.1, 0, 0, 0, 0])
    assert found(seen, "latency").status is Status.PASS
    slow = replace(seen, candidate_latency={le: n * (0.9 if le < 0.25 else 1) for le, n in seen.stable_latency.items()})
    assert found(slow, "latency").status is Status.FAIL


def test_an_objective_is_the_only_boundary():
    worse_elsewhere = slower(GOOD, 0.025, 1_000)
    assert found(worse_elsewhere, "latency", ShadowPolicy(latency_objective=0.1)).status is Status.PASS
    with pytest.raises(ConfigurationError, match="latency_objective"):
        judge_shadow(GOOD, ShadowPolicy(latency_objective=0.3))


def no_histograms():
    return {f"{arm}_{what}": {} for arm in ("candidate", "stable") for what in ("latency", "scores")}


def test_latency_that_was_not_kept_cannot_tell():
    assert found(replace(GOOD, **no_histograms()), "latency").status is Status.INCONCLUSIVE
    beyond = dict.fromkeys(LE, 0.0) | {math.inf: 20_000.0}
    check = found(replace(GOOD, candidate_latency=beyond, stable_latency=beyond), "latency")
    assert check.status is Status.INCONCLUSIVE
    assert "the last boundary" in check.reason


def test_too_few_pairs_never_pass_but_may_fail():
    few = ShadowPolicy(min_pairs=30_000)
    for name in ("flips", "errors", "latency"):
        check = found(GOOD, name, few)
        assert (check.status, check.rows_needed) == (Status.INCONCLUSIVE, 30_000)
    assert found(replace(GOOD, flips=2_000), "flips", few).status is Status.FAIL


def test_copies_that_were_never_sent_make_it_inconclusive():
    check = found(replace(GOOD, dropped=6_000), "copies")
    assert check.status is Status.INCONCLUSIVE
    assert "6,000 of 26,050 copies" in check.reason
    assert judge_shadow(replace(GOOD, dropped=6_000), POLICY).status is Status.INCONCLUSIVE


def test_what_is_not_asked_for_is_not_judged():
    policy = parse(ShadowPolicy, {"max_flip_rate": None, "latency_ratio": None}, field="policy")
    bad = slower(replace(GOOD, flips=9_000), 0.1, 5_000)
    assert [check.name for check in judge_shadow(bad, policy).checks] == ["errors", "copies"]
    assert judge_shadow(bad, policy).status is Status.PASS


@pytest.mark.parametrize("own", [0, 5, 12, 18, 25, 40, 60])
def test_the_gate_decides_as_the_evidence_at_the_margin_does(own):
    """The simulation asks the evidence."""
    seen = replace(shadow(scale=0.1), candidate_errors=own, stable_errors=4, both_errors=3)
    pairs = Pairs(own + 3, 7, seen.mirrored, both=3)
    proven = log_not_worse(pairs, delta=0.005) >= math.log(20)
    refuted = log_worse(pairs, delta=0.005) >= math.log(3 * 20)
    expected = Status.PASS if proven else Status.FAIL if refuted else Status.INCONCLUSIVE
    assert found(seen, "errors").status is expected


def test_clustered_requests_need_more_pairs():
    seen = replace(shadow(scale=0.05), flips=30)
    assert found(seen, "flips").status is Status.PASS
    assert found(seen, "flips", ShadowPolicy(phi=9)).status is Status.INCONCLUSIVE


def test_checks_share_alpha_for_failing_and_not_for_passing():
    alone = ShadowPolicy(latency_ratio=None, error_margin=0.005)
    low, high = found(GOOD, "flips").interval
    fewer_low, fewer_high = found(GOOD, "flips", alone).interval
    assert low < fewer_low
    assert high == fewer_high


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"flips": 20_001}, "flips"),
        ({"pairs": -1}, "pairs"),
        ({"candidate_errors": 0.5}, "candidate_errors"),
        ({"differences": {0.1: 3.0}}, "differences"),
        ({"stable_latency": {0.1: 20_000.0, math.inf: 20_000.0}}, "candidate_latency"),
        ({"candidate_latency": dict.fromkeys((*LE, math.inf), 0.0)}, "candidate_latency"),
        ({"candidate_scores": {math.inf: 20_000.0}}, "candidate_scores"),
        ({"seconds": -1.0}, "seconds"),
    ],
)
def test_counts_that_are_none_are_refused(change, field):
    with pytest.raises(DataError) as error:
        replace(GOOD, **change)
    assert error.value.field.startswith(field)
