import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from gauntlet.serving.load_result import LoadResult, Outcome, percentile, summarise


def run_of(outcomes, status=None, *, ended=None, sent=None, rate=None):
    count = len(outcomes)
    intended = np.arange(count) / count
    sent = intended if sent is None else np.asarray(sent, dtype=np.float64)
    return LoadResult(
        rate=float(rate or count),
        seconds=1.0,
        timeout=1.0,
        intended=intended,
        fired=intended,
        sent=sent,
        ended=intended + 0.01 if ended is None else np.asarray(ended, dtype=np.float64),
        outcome=np.array(outcomes, dtype=np.uint8),
        status=np.array(status or [200 * (outcome == Outcome.ANSWERED) for outcome in outcomes], dtype=np.uint16),
    )


@given(hnp.arrays(np.float64, st.integers(1, 50), elements=st.floats(0, 100)), st.floats(0, 100))
def test_a_percentile_is_an_observed_value_that_the_share_does_not_exceed(values, q):
    result = percentile(values, q)
    assert result in values
    assert (values <= result).mean() >= q / 100 - 1e-12


def test_the_percentiles_of_few_values_are_the_largest():
    assert percentile(np.arange(10.0), 99.9) == 9.0
    assert math.isnan(percentile(np.empty(0), 50))


def test_failures_are_counted_by_kind_and_by_status():
    kinds = [Outcome.ANSWERED] * 4 + [
        Outcome.TIMED_OUT,
        Outcome.NEVER_SENT,
        Outcome.CUT,
        Outcome.CUT,
        Outcome.MALFORMED,
    ]
    measured = run_of(kinds, [200, 399, 400, 503, 0, 0, 0, 0, 0])
    assert measured.errors == {
        "status 400": 1,
        "status 503": 1,
        "timed out": 1,
        "never sent": 1,
        "cut": 2,
        "malformed": 1,
    }
    assert measured.succeeded.tolist() == [True, True] + [False] * 7
    assert summarise(measured).error_share == pytest.approx(7 / 9)


def test_a_timeout_counts_in_the_percentiles_with_its_full_time():
    ended = np.arange(10) / 10 + 0.01
    ended[4] = 0.4 + 1.0
    measured = run_of([Outcome.ANSWERED] * 4 + [Outcome.TIMED_OUT] + [Outcome.ANSWERED] * 5, ended=ended)
    assert summarise(measured).latency[99] == pytest.approx(1.0)


@pytest.mark.parametrize(("late", "valid"), [(1.0, True), (1.01, True), (1.02, False)])
def test_a_run_that_sends_less_than_99_percent_of_its_rate_is_invalid(late, valid):
    sent = np.arange(100) / 100
    sent[-1] = late
    measured = run_of([Outcome.ANSWERED] * 100, sent=sent, ended=sent + 0.01)
    assert measured.achieved_rate == pytest.approx(100 / late)
    assert summarise(measured).valid is valid


def test_requests_that_were_never_sent_are_not_achieved():
    sent = np.arange(100) / 100
    sent[50:] = np.nan
    measured = run_of([Outcome.ANSWERED] * 50 + [Outcome.NEVER_SENT] * 50, sent=sent)
    assert measured.achieved_rate == 50
    assert "50 of 100 requests/s were sent (50.0%)" in measured.faults()[0]


def test_a_run_in_which_nothing_could_be_sent_still_has_a_summary():
    figures = summarise(run_of([Outcome.NEVER_SENT] * 3, sent=[np.nan] * 3, ended=[1.0, 1.5, 1.8]))
    assert figures.achieved_rate == 0
    assert math.isnan(figures.service[99])
    assert figures.errors == {"never sent": 3}
    assert not figures.valid
