import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.delivery.analysis.increments import Exposure, exposed, increments, total
from gauntlet.delivery.counters.source import Counters
from gauntlet.errors import DataError


def pod(requests, errors=0, slow=0, in_flight=0.0, sliced=None):
    return Counters(requests, errors, {0.1: requests - slow, math.inf: requests}, {}, sliced or {}, in_flight)


def test_what_counters_grew_by():
    grown = increments({"a": pod(10, 1, 2)}, {"a": pod(25, 3, 6, in_flight=2)})["a"]
    assert (grown.requests, grown.errors, grown.in_flight) == (15, 2, 2)
    assert grown.latency == {0.1: 11, math.inf: 15}


@pytest.mark.parametrize(
    "after",
    [pod(9, 1, 2), pod(30, 0, 2), pod(30, 1, 29)],
    ids=["requests fell", "errors fell", "a bucket fell"],
)
def test_one_counter_that_fell_says_the_pod_was_restarted(after):
    grown = increments({"a": pod(20, 1, 2)}, {"a": after})["a"]
    assert (grown.requests, grown.errors, grown.latency) == (after.requests, after.errors, after.latency)


def test_pods_that_come_and_pods_that_go_give_nothing():
    assert increments({"gone": pod(10), "stays": pod(10)}, {"stays": pod(12), "new": pod(99)}).keys() == {"stays"}


def test_a_histogram_seen_for_the_first_time_gives_nothing_yet():
    """It may have been unreadable for a moment: taking all of it would count the past again."""
    north = {"region=north": {0.5: 2.0, math.inf: 3.0}}
    grown = increments({"a": pod(10)}, {"a": pod(13, sliced=north)})["a"]
    assert (grown.requests, grown.sliced) == (3, {"region=north": {}})


def test_behind_a_router_a_server_that_restarts_does_not_restart_its_requests():
    """The router's counters go on; counting them from zero would count every request twice."""
    before = Counters(1000, 10, {0.1: 900.0, math.inf: 1000.0}, {0.5: 600.0, math.inf: 980.0})
    after = Counters(1100, 12, {0.1: 990.0, math.inf: 1100.0}, {0.5: 30.0, math.inf: 50.0})
    grown = increments({"router": before}, {"router": after})["router"]
    assert (grown.requests, grown.errors, grown.latency[math.inf]) == (100, 2, 100)
    assert grown.scores == {0.5: 30.0, math.inf: 50.0}


@pytest.mark.parametrize(
    ("after", "message"),
    [
        (Counters(math.nan, 0), "a requests: must be a whole number"),
        (Counters(20, 1.5), "a errors: must be a whole number"),
        (Counters(20, 0, {0.1: 5.0, 0.2: 5.0, math.inf: 20.0}), "a latency: has boundaries of its own"),
        (Counters(20, 0, {0.1: 25.0, math.inf: 20.0}), "is below the bucket before it"),
    ],
)
def test_what_cannot_be_counted_is_refused(after, message):
    with pytest.raises(DataError, match=message):
        increments({"a": pod(10)}, {"a": after})


def test_pods_with_different_boundaries_cannot_be_one():
    with pytest.raises(DataError, match="b: has boundaries of its own"):
        total({"a": Counters(1, 0, {0.1: 1.0, math.inf: 1.0}), "b": Counters(1, 0, {0.2: 1.0, math.inf: 1.0})})


LIVES = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 30), st.booleans()), min_size=1, max_size=8
)  # answered quickly, slowly; restarted before


@given(st.dictionaries(st.sampled_from("abc"), LIVES, min_size=1), st.data())
def test_intervals_add_up_to_one_long_interval_and_never_count_a_request_twice(lives, data):
    """Whatever looks were missed in between: without restarts the sums are equal, with restarts never more."""
    length = max(map(len, lives.values()))
    histories = {name: history(life, length) for name, life in lives.items()}
    instants = sorted({0, length, *data.draw(st.sets(st.integers(0, length)))})
    readings = [{name: one[instant][0] for name, one in histories.items()} for instant in instants]
    short = [total(increments(a, b)) for a, b in pairwise(readings)]
    long = total(increments(readings[0], readings[-1]))
    truth = sum(one[length][1] for one in histories.values())
    summed = sum(one.requests for one in short)
    assert long.requests <= summed <= truth
    if not any(restarted for life in lives.values() for *_, restarted in life):
        assert long.requests == summed == truth
        assert sum(one.latency[0.1] for one in short) == long.latency[0.1]


def history(life, length):
    """The pod's counters after every instant, and how many requests it has really answered."""
    found, now, truth = [(pod(0), 0)], pod(0), 0
    for fast, slow, restarted in life:
        base = pod(0) if restarted else now
        now = pod(base.requests + fast + slow, 0, base.requests - base.latency[0.1] + slow)
        truth += fast + slow
        found.append((now, truth))
    return found + [found[-1]] * (length - len(life))


READINGS = st.lists(
    st.dictionaries(st.sampled_from("abc"), st.tuples(st.integers(0, 50), st.integers(0, 5), st.booleans())),
    min_size=1,
    max_size=8,
)
"""What happens between readings: pod → (requests answered, requests under way then, the scrape missed it)."""


def counted(readings):
    """The exposure after these readings: pod → its counters."""
    exposure, before = Exposure(), None
    for pods in readings:
        exposure = exposed(exposure, pods, increments(before or {}, pods), first=before is None)
        before = pods
    return exposure


def answered_pod(requests, in_flight=0):
    return Counters(float(requests), 0.0, in_flight=float(in_flight))


@given(READINGS)
def test_missed_scrapes_change_nothing_once_the_pod_is_seen_again(happened):
    served, readings = {}, [{name: answered_pod(0) for name in "abc"}]
    for between in happened:
        pods = {}
        for name in "abc":
            requests, in_flight, missed = between.get(name, (0, 0, False))
            served[name] = served.get(name, 0) + requests
            if not missed:
                pods[name] = answered_pod(served[name], in_flight)
        readings.append(pods)
    readings.append({name: answered_pod(requests) for name, requests in served.items()})
    assert counted(readings).given == sum(served.values())


@given(READINGS)
def test_it_never_falls_behind_what_was_answered_nor_beyond_what_was_given(happened):
    """Pods that go, with requests under way, and do not come back; later ones that were not there at first."""
    gone, served, under_way, readings = set(), {}, {}, [{}]
    for between in happened:
        pods = {}
        for name, (requests, in_flight, leaves) in between.items():
            if name in gone:
                continue
            served[name], under_way[name] = served.get(name, 0) + requests, in_flight
            pods[name] = answered_pod(served[name], in_flight)
            if leaves:
                gone.add(name)
        readings.append(pods)
    assert counted(readings).given == sum(served.values()) + sum(under_way.values())


def test_what_was_counted_before_the_first_reading_is_of_another_rollout():
    assert counted([{"a": answered_pod(1000)}, {"a": answered_pod(1010)}]).given == 10


def test_a_pod_that_was_started_again_began_in_the_rollout():
    assert counted([{"a": answered_pod(1000)}, {}, {"a": answered_pod(4)}]).given == 4
    assert counted([{"a": answered_pod(1000)}, {"a": answered_pod(4)}]).given == 4


def test_a_hanging_pod_was_given_what_it_never_answered():
    assert counted([{}, {"a": answered_pod(3, 20)}]).given == 23
    assert counted([{}, {"a": answered_pod(3, 20)}, {}]).given == 23
    assert counted([{}, {"a": answered_pod(3, 20)}, {"a": answered_pod(23)}]).given == 23
