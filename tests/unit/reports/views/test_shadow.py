"""The page of a shadow."""

import math
import re
from dataclasses import replace

import pytest

from builders.reports import HOSTILE, rows, text
from builders.shadows import shadow
from gauntlet.delivery.evidence.flips import upper_bound
from gauntlet.delivery.shadow.gate import ShadowCounts, ShadowPolicy, judge_shadow
from gauntlet.reports.views.shadow import shadow_page, shadow_view

POLICY = ShadowPolicy()


def view(seen, policy=POLICY):
    return shadow_view(seen, policy, judge_shadow(seen, policy))


def page(seen, policy=POLICY, **more):
    return shadow_page(seen, policy, judge_shadow(seen, policy), **more)


def test_agreement_comes_with_its_always_valid_bound_and_certificate():
    found = view(shadow())
    assert found.agreement == pytest.approx(0.985)
    assert found.flips.interval[1] == pytest.approx(upper_bound(300, 20_000, alpha=0.05))
    assert found.certificate > found.needed == 20
    assert view(replace(shadow(), flips=4_000)).certificate < 1


def test_histograms_hold_every_count_and_end_with_the_last_value():
    found = view(shadow())
    for histogram in (found.latency, found.scores):
        assert sum(histogram.candidate) == sum(histogram.stable) == 20_000
        assert len(histogram.edges) == len(histogram.candidate) + 1
    assert found.latency.edges == pytest.approx((0.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0))
    assert found.differences.stable is None
    assert found.differences.edges[-1] == math.inf


def test_scores_that_are_no_probabilities_may_lie_below_zero():
    prices = {100.0: 300.0, 200.0: 900.0, math.inf: 1000.0}
    found = view(ShadowCounts(1_000, 3, 0, 0, candidate_scores=prices, stable_scores=prices))
    assert found.scores.edges == (-math.inf, 100.0, 200.0, math.inf)


def test_quantiles_are_the_buckets_they_lie_in_and_few_answers_have_no_tail():
    found = {name: (own, other) for name, own, other in view(shadow()).quantiles}
    assert found["p50"] == ("5 to 10 ms", "5 to 10 ms")
    assert found["p99"] == ("50 to 100 ms", "50 to 100 ms")
    assert "p99.9" in found
    assert [name for name, *_ in view(shadow(scale=0.01)).quantiles] == ["p50", "p90", "p95"]


def test_a_quantile_beyond_the_last_boundary_has_no_upper_end():
    slow = {0.005: 10_000.0, math.inf: 20_000.0}
    found = view(replace(shadow(), candidate_latency=slow, stable_latency=slow))
    assert ("p90", "over 5 ms", "over 5 ms") in found.quantiles


def test_failures_add_up_to_what_was_mirrored():
    found = view(replace(shadow(), both_errors=7))
    assert [cells[1] for cells in found.failures] == ["20,000", "30", "20", "7"]


def test_before_the_first_pair_there_is_a_page_and_no_number():
    nothing = ShadowCounts(0, 0, 0, 0)
    assert view(nothing).agreement is None
    assert view(nothing).certificate is None
    html = page(nothing)
    assert "Nothing was mirrored yet, so there is nothing to show." in html
    assert "s-inconclusive" in html


def test_flips_that_are_not_asked_for_are_counted_all_the_same():
    policy = ShadowPolicy(max_flip_rate=None)
    assert view(shadow(), policy).flips is None
    html = page(shadow(), policy)
    assert "Evidence that fewer" not in html
    assert "of 20,000 pairs" in html


def test_clustered_requests_are_said_to_be():
    assert "4 requests count as one" in page(shadow(), ShadowPolicy(phi=4))
    assert "Requests count as independent" in page(shadow())


def test_the_title_is_escaped():
    assert "<script" not in page(shadow(), title=HOSTILE)


def test_the_page_opens_with_how_many_requests_and_how_alike():
    said = text(page(shadow()))
    assert "Mirrored requests 20,050 in 30 min" in said
    assert "Decided alike 98.50% of 20,000 pairs" in said
    assert "Flips at most" in said
    assert "Failed at the candidate alone 30 at stable alone 20" in said
    assert "Copies not sent 0 0% of all copies" in said


def test_the_page_shows_evidence_failures_scores_and_latency():
    html = page(shadow())
    assert re.findall("<h2>(.*?)</h2>", html)[-3:] == ["Decisions", "Failures", "Latency"]
    assert "Evidence that fewer than" in text(html)
    assert "20 suffices" in text(html)
    for drawing in ("Scores of both versions", "Score differences", "Latency of both versions"):
        assert f'aria-label="{drawing}"' in html
    assert ["What happened", "Requests", "Share"] in rows(html)
    assert ["Only stable answered: the candidate failed", "30", "0.15%"] in rows(html)
    assert ["Only the candidate answered: stable failed", "20", "0.10%"] in rows(html)
    assert ["p99", "50 to 100 ms", "50 to 100 ms"] in rows(html)


def test_what_was_not_kept_is_said_and_not_drawn():
    bare = replace(
        shadow(), differences={}, candidate_scores={}, stable_scores={}, candidate_latency={}, stable_latency={}
    )
    html = page(bare)
    assert "Answers hold no scores, so only decisions were compared." in html
    assert "No latencies were kept." in html.partition("<h2>Latency</h2>")[2]
    assert "aria-label" not in html[html.index("<h2>Decisions") :]
