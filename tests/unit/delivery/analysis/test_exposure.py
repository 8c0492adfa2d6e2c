"""What a version was given is neither lost nor counted twice, whatever is read of its pods."""

from hypothesis import given
from hypothesis import strategies as st

from gauntlet.delivery.analysis.exposure import Exposure, exposed
from gauntlet.delivery.analysis.increments import increments
from gauntlet.delivery.counters.source import Counters

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


def pod(requests, in_flight=0):
    return Counters(float(requests), 0.0, in_flight=float(in_flight))


@given(READINGS)
def test_missed_scrapes_change_nothing_once_the_pod_is_seen_again(happened):
    served, readings = {}, [{name: pod(0) for name in "abc"}]
    for between in happened:
        pods = {}
        for name in "abc":
            requests, in_flight, missed = between.get(name, (0, 0, False))
            served[name] = served.get(name, 0) + requests
            if not missed:
                pods[name] = pod(served[name], in_flight)
        readings.append(pods)
    readings.append({name: pod(requests) for name, requests in served.items()})
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
            pods[name] = pod(served[name], in_flight)
            if leaves:
                gone.add(name)
        readings.append(pods)
    assert counted(readings).given == sum(served.values()) + sum(under_way.values())


def test_what_was_counted_before_the_first_reading_is_of_another_rollout():
    assert counted([{"a": pod(1000)}, {"a": pod(1010)}]).given == 10


def test_a_pod_that_was_started_again_began_in_the_rollout():
    assert counted([{"a": pod(1000)}, {}, {"a": pod(4)}]).given == 4
    assert counted([{"a": pod(1000)}, {"a": pod(4)}]).given == 4


def test_a_hanging_pod_was_given_what_it_never_answered():
    assert counted([{}, {"a": pod(3, 20)}]).given == 23
    assert counted([{}, {"a": pod(3, 20)}, {}]).given == 23
    assert counted([{}, {"a": pod(3, 20)}, {"a": pod(23)}]).given == 23
