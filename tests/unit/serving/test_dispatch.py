import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.load import one_worker, simulate
from gauntlet.errors import InternalError
from gauntlet.serving.arrivals import arrivals
from gauntlet.serving.dispatch import Dispatch
from gauntlet.serving.load_result import Outcome, percentile, summarise


def starting(*intended, connections=1, timeout=1.0):
    dispatch = Dispatch(np.array(intended, dtype=np.float64), connections=connections, timeout=timeout)
    for connection in range(connections):
        assert dispatch.opened(connection, 0.0) is None
    return dispatch


def test_a_request_that_finds_no_connection_waits_and_keeps_its_intended_time():
    dispatch = starting(0.1, 0.2)
    assert dispatch.fire(0.1) == (0, 0)
    assert dispatch.fire(0.2) is None
    dispatch.answered(0, 200, 0.5)
    assert dispatch.opened(0, 0.5) == (0, 1)
    dispatch.answered(0, 200, 0.6)
    measured = dispatch.result(rate=2, seconds=1)
    assert measured.latency == pytest.approx([0.4, 0.4])
    assert measured.service == pytest.approx([0.4, 0.1])
    assert measured.send_lag == pytest.approx([0.0, 0.3])
    assert measured.lag == pytest.approx([0.0, 0.0])


def test_what_times_out_is_cut_when_sent_and_forgotten_when_not():
    dispatch = starting(0.0, 0.1, 0.5)
    assert dispatch.fire(0.0) == (0, 0)
    assert dispatch.fire(0.1) is None
    assert dispatch.next_event() == 0.5
    assert dispatch.fire(0.5) is None
    assert dispatch.next_event() == 1.0
    assert dispatch.expire(0.9) == []
    assert dispatch.expire(1.0) == [0]
    assert not dispatch.carries(0)
    assert dispatch.next_event() == pytest.approx(1.1)
    assert dispatch.expire(1.2) == []
    assert dispatch.opened(0, 1.3) == (0, 2)
    dispatch.answered(0, 503, 1.4)
    assert dispatch.done
    assert dispatch.next_event() == math.inf
    measured = dispatch.result(rate=3, seconds=1)
    assert measured.errors == {"status 503": 1, "timed out": 1, "never sent": 1}
    assert measured.latency == pytest.approx([1.0, 1.1, 0.9])
    assert np.isnan(measured.sent).tolist() == [False, True, False]


def test_an_idle_connection_that_is_lost_takes_no_request_and_no_error():
    dispatch = starting(0.1, connections=2)
    dispatch.lost(0, Outcome.CUT, 0.05)
    dispatch.lost(0, Outcome.CUT, 0.06)
    assert dispatch.fire(0.1) == (1, 0)
    dispatch.answered(1, 200, 0.2)
    assert dispatch.result(rate=1, seconds=1).errors == {}


def test_an_answer_nobody_waits_for_and_a_record_read_too_early_are_defects():
    dispatch = starting(0.1)
    with pytest.raises(InternalError):
        dispatch.answered(0, 200, 0.0)
    with pytest.raises(InternalError):
        dispatch.result(rate=1, seconds=1)


@given(
    rate=st.floats(5, 200),
    connections=st.integers(1, 6),
    timeout=st.floats(0.01, 1),
    lag=st.floats(0, 0.05),
    seed=st.integers(0, 2**32),
    loss=st.floats(0, 0.5),
)
def test_whatever_happens_each_request_is_decided_once_in_order_and_in_time(
    rate, connections, timeout, lag, seed, loss
):
    rng = np.random.default_rng(seed)
    concurrent = []

    def serve(request, sent):
        outcome = rng.choice([Outcome.CUT, Outcome.MALFORMED]) if rng.random() < loss else Outcome.ANSWERED
        concurrent.append((sent, request))
        return sent + rng.exponential(0.1), Outcome(outcome)

    intended = arrivals(rate, 2, seed=seed)
    measured = simulate(intended, serve, rate=rate, seconds=2, connections=connections, timeout=timeout, lag=lag)
    assert (measured.outcome > 0).all()
    assert len(intended) == int(measured.succeeded.sum()) + sum(measured.errors.values())
    assert (measured.lag >= 0).all()
    assert not np.isnan(measured.ended).any()
    sent = ~np.isnan(measured.sent)
    np.testing.assert_array_equal(sent, measured.outcome != Outcome.NEVER_SENT)
    assert (measured.sent[sent] >= measured.fired[sent]).all()
    assert (measured.ended[sent] >= measured.sent[sent]).all()
    assert (np.diff(measured.sent[sent]) >= 0).all()  # first come, first served
    assert [request for _, request in concurrent] == np.flatnonzero(sent).tolist()  # each sent once
    timed_out = measured.outcome == Outcome.TIMED_OUT
    assert (measured.latency[timed_out] >= timeout - 1e-9).all()
    begun = np.sort(measured.sent[sent])
    ended = np.sort(measured.ended[sent])
    under_way = np.arange(1, len(begun) + 1) - np.searchsorted(ended, begun, side="right")
    assert (under_way <= connections).all()


def test_a_stall_shows_in_the_percentiles_of_an_open_loop_and_hides_in_those_of_a_closed_one():
    """0.3 s of every 2 s: 15 % of arrivals meet the stall, waiting 0 to 0.3 s, so p99 is about 0.3 · (1 - 1/15) s."""
    measured = simulate(
        arrivals(500, 20, seed=3), one_worker(0.0005, stall=0.3), rate=500, seconds=20, connections=8, timeout=10
    )
    figures = summarise(measured)
    assert figures.latency[99] == pytest.approx(0.3, rel=0.2)
    # A closed loop of eight, whose stalled requests are 8 in each 2 s, a thousandth of all.
    serve, times, clock = one_worker(0.0005, stall=0.3), [], [0.0] * 8
    while min(clock) < 20:
        turn = int(np.argmin(clock))
        end, _ = serve(0, clock[turn])
        times.append(end - clock[turn])
        clock[turn] = end
    assert percentile(np.array(times), 99) < 0.02
    assert figures.service[50] < 0.02


def test_a_rate_that_the_target_cannot_take_is_invalid():
    measured = simulate(arrivals(200, 10), one_worker(0.01), rate=200, seconds=10, connections=4, timeout=60)
    assert measured.achieved_rate == pytest.approx(100, rel=0.05)
    (fault,) = measured.faults()
    assert "The rate was not kept" in fault
    assert "100 of 200 requests/s" in fault


def test_a_generator_that_is_late_itself_says_so_and_does_not_blame_the_target():
    measured = simulate(
        arrivals(100, 10), one_worker(0.001), rate=100, seconds=10, connections=4, timeout=60, lag=0.008
    )
    (fault,) = measured.faults()
    assert "The generator itself was 8.0 ms late" in fault


def test_a_target_within_its_means_makes_a_valid_run():
    measured = simulate(arrivals(100, 10), one_worker(0.001), rate=100, seconds=10, connections=4, timeout=60)
    assert measured.faults() == ()
    assert measured.errors == {}
    assert summarise(measured).valid
