import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.delivery.analysis.increments import Exposure, LastSeen, exposed, increments, total, uncounted
from gauntlet.delivery.counters.source import Counters
from gauntlet.errors import DataError


def pod(requests, errors=0, slow=0, in_flight=0.0, sliced=None, started=0.0):
    """A pod whose latency histogram has one boundary; ``started``: when its process says that it began."""
    return Counters(requests, errors, {0.1: requests - slow, math.inf: requests}, {}, sliced or {}, in_flight, started)


def test_what_counters_grew_by():
    grown = increments({"a": pod(10, 1, 2)}, {"a": pod(25, 3, 6, in_flight=2)})["a"]
    assert (grown.requests, grown.errors, grown.in_flight) == (15, 2, 2)
    assert grown.latency == {0.1: 11, math.inf: 15}


def scored(requests, scores, started=0.0):
    histogram = {0.5: scores - 1, math.inf: scores}
    return Counters(requests, 0, {}, histogram, {"region=north": histogram}, started=started)


@pytest.mark.parametrize("requests", [5, 20, 40], ids=["fewer than before", "as many", "more"])
def test_all_that_another_process_holds_is_new_however_much_it_is(requests):
    after = pod(requests, 4, 3, started=60.0)
    grown = increments({"a": pod(20, 1, 2)}, {"a": after}, since=50.0)["a"]
    assert (grown.requests, grown.errors, grown.latency) == (after.requests, after.errors, after.latency)
    after = scored(requests, 30, started=60.0)
    grown = increments({"a": scored(20, 15)}, {"a": after}, since=50.0)["a"]
    assert (grown.requests, grown.scores, grown.sliced) == (after.requests, after.scores, after.sliced)


@pytest.mark.parametrize("moved", [-1.0, 1.0])
def test_a_start_that_moves_by_a_second_may_be_a_boot_time_that_was_rounded_anew(moved):
    """Or a server that lived for a second. Fewer requests than before tell; more are left out this once."""
    before, after = pod(20, started=1000.0), pod(25, started=1000.0 + moved)
    assert increments({"a": before}, {"a": after}, since=990.0) == {}
    assert increments({"a": after}, {"a": before}, since=990.0)["a"].requests == 20


@pytest.mark.parametrize(("started", "since"), [(1060.0, 5000.0), (900.0, 1010.0)], ids=["forward", "back"])
def test_a_clock_that_was_set_is_no_new_process_and_counts_nothing_twice(started, since):
    assert increments({"a": pod(20, started=1000.0)}, {"a": pod(25, started=started)}, since=since) == {}


def test_the_scrape_that_was_read_last_may_be_minutes_old():
    assert increments({"a": pod(20)}, {"a": pod(25, started=900.0)}, since=1000.0)["a"].requests == 25


UNKNOWN = {"started": None}


@pytest.mark.parametrize(
    ("after", "pace", "requests"),
    [
        (pod(19, 1, 2, **UNKNOWN), 10.0, 19),
        (pod(19, 0, 0, **UNKNOWN), 10.0, 19),
        (pod(29, 1, 2, **UNKNOWN), 10.0, 9),
        (pod(29, 0, 2, **UNKNOWN), 10.0, None),
        (pod(29, 1, 1, **UNKNOWN), 10.0, None),
        (pod(20, 1, 2, **UNKNOWN), 10.0, None),
        (pod(40, 1, 2, **UNKNOWN), 10.0, None),
        (pod(29, 1, 2, **UNKNOWN), 0.0, None),
    ],
    ids=[
        "fewer: restarted",
        "fewer, whatever the hits",
        "more than two intervals' worth: the same",
        "an error is gone: restarted, but only the hits say so",
        "a slow answer is gone",
        "as many as two intervals' worth",
        "so many that it may be all new",
        "how many it answers is not known yet",
    ],
)
def test_where_the_start_is_not_told_the_number_of_requests_decides_and_what_it_leaves_open_is_left_out(
    after, pace, requests
):
    grown = increments({"a": pod(20, 1, 2, **UNKNOWN)}, {"a": after}, paces={"a": pace})
    assert (grown["a"].requests if grown else None) == requests


def test_from_zero_it_is_the_same_either_way():
    grown = increments({"a": pod(0, **UNKNOWN)}, {"a": pod(12, 3, **UNKNOWN)})
    assert (grown["a"].requests, grown["a"].errors) == (12, 3)


def test_scores_alone_are_counted_as_requests_are():
    before, after = scored(0, 30, None), scored(0, 35, None)
    assert increments({"a": before}, {"a": after}, paces={"a": 10.0})["a"].scores == {0.5: 5, math.inf: 5}
    assert increments({"a": before}, {"a": scored(0, 20, None)})["a"].scores == {0.5: 19, math.inf: 20}
    assert increments({"a": before}, {"a": scored(0, 50, None)}, paces={"a": 30.0}) == {}


def test_counters_that_fell_in_one_process_are_left_out():
    """A broken exporter, or a start that is of another process: nothing can be made of what is left."""
    assert increments({"a": pod(20, 3)}, {"a": pod(30, 2)}) == {}


def test_what_is_left_out_was_answered_all_the_same():
    before = {"a": pod(20, 3, **UNKNOWN), "b": pod(7, **UNKNOWN), "gone": pod(5)}
    after = {"a": pod(30, 2, **UNKNOWN), "b": pod(9, **UNKNOWN), "new": pod(99)}
    gained = increments(before, after)
    assert gained == {}
    assert uncounted(before, after, gained) == 12
    assert uncounted(before, after, {"b": pod(2)}) == 10


def test_pods_that_come_and_pods_that_go_give_nothing():
    assert increments({"gone": pod(10), "stays": pod(10)}, {"stays": pod(12), "new": pod(99)}).keys() == {"stays"}


def test_a_histogram_seen_for_the_first_time_gives_nothing_yet():
    """It may have been unreadable for a moment: taking all of it would count the past again."""
    north = {"region=north": {0.5: 2.0, math.inf: 3.0}}
    grown = increments({"a": pod(10)}, {"a": pod(13, sliced=north)})["a"]
    assert (grown.requests, grown.sliced) == (3, {"region=north": {}})


@pytest.mark.parametrize(
    ("after", "message"),
    [
        (Counters(math.nan, 0), "a requests: must be a whole number"),
        (Counters(20, 1.5), "a errors: must be a whole number"),
        (Counters(20, 0, {0.1: 15.0, 0.2: 15.0, math.inf: 20.0}, started=0.0), "a latency: has boundaries of its own"),
        (Counters(20, 0, {0.1: 25.0, math.inf: 20.0}, started=0.0), "is below the bucket before it"),
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
    """Whatever looks were missed in between: without restarts the sums are equal, with restarts never more.

    What was answered since a restart is always counted, and nothing else is lost.
    """
    length = max(map(len, lives.values()))
    histories = {name: history(life, length) for name, life in lives.items()}
    instants = sorted({0, length, *data.draw(st.sets(st.integers(0, length)))})
    readings = [{name: one[instant][0] for name, one in histories.items()} for instant in instants]
    short = [total(increments(a, b)) for a, b in pairwise(readings)]
    long = total(increments(readings[0], readings[-1]))
    truth = sum(one[length][1] for one in histories.values())
    summed = sum(one.requests for one in short)
    assert long.requests <= summed <= truth
    if len(instants) == length + 1:
        assert summed == truth
    if not any(restarted for life in lives.values() for *_, restarted in life):
        assert long.requests == summed == truth
        assert sum(one.latency[0.1] for one in short) == long.latency[0.1]


def history(life, length):
    """The pod's counters after every instant, and how many requests it has really answered."""
    found, now, truth = [(pod(0), 0)], pod(0), 0
    for fast, slow, restarted in life:
        base = pod(0, started=now.started + 60) if restarted else now
        now = pod(base.requests + fast + slow, 0, base.requests - base.latency[0.1] + slow, started=base.started)
        truth += fast + slow
        found.append((now, truth))
    return found + [found[-1]] * (length - len(life))


@given(LIVES)
def test_where_nobody_tells_of_restarts_no_request_is_counted_twice_and_none_is_unaccounted_for(life):
    """Each interval is counted, or said to be left out, or neither because a process took it along."""
    history_ = [replace(counters, started=None) for counters, _ in history(life, len(life))]
    exposure, accounted = Exposure(), 0.0
    for before, after in pairwise({"a": counters} for counters in history_):
        grown = increments(before, after, paces=exposure.most(60.0))
        left = uncounted(before, after, grown)
        assert not (grown and left)
        accounted += left + sum(counters.requests for counters in grown.values())
        exposure = exposed(exposure, after, grown, first=False, seconds=60.0)
    truth = history(life, len(life))[-1][1]
    assert accounted == exposure.answered <= truth
    if not any(restarted for *_, restarted in life):
        assert accounted == truth


def test_how_many_a_pod_answers_is_learned_from_what_it_answered():
    """What was read first may be years' worth; what comes later began since; one that tells its start needs none."""
    pods = [{"old": pod(9000, **UNKNOWN)}, {"old": pod(9120, **UNKNOWN), "new": pod(60, **UNKNOWN), "told": pod(7)}]
    first = exposed(Exposure(), pods[0], {}, first=True)
    assert first.most(60.0) == {"old": 0.0}
    second = exposed(first, pods[1], increments(pods[0], pods[1]), first=False, seconds=60.0)
    assert second.most(30.0) == {"old": 60.0, "new": 30.0, "told": 0.0}
    assert second.pods["told"] == LastSeen(7, 0)


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
