import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.load import one_worker, simulate, summary
from gauntlet.errors import ConfigurationError
from gauntlet.serving.arrivals import arrivals
from gauntlet.serving.load_result import summarise
from gauntlet.serving.saturation import Limits, Search, Trial, bracket, next_rate, saturation


@given(
    capacity=st.floats(2, 15_000),
    start=st.floats(1, 20_000),
    precision=st.floats(0.01, 0.5),
    attempts=st.integers(1, 3),
)
def test_a_sharp_limit_is_found_within_the_precision(capacity, start, precision, attempts):
    result = saturation(
        lambda rate: summary(rate, faults=() if rate <= capacity else ("not kept",)),
        search=Search(start=start, precision=precision, attempts=attempts),
    )
    assert result.kept <= capacity < result.broken <= result.kept * (1 + precision) * (1 + 1e-9)
    assert result.broke == ("not kept",)
    assert len(result.trials) < 3 * (15 + 8)  # halvings down from 20,000 and within the bracket, three attempts each


def test_a_target_beyond_the_search_is_kept_everywhere():
    result = saturation(summary, search=Search(start=100, highest=1000))
    assert (result.kept, result.broken, result.broke) == (1000, None, ())
    assert [trial.rate for trial in result.trials] == [100, 200, 400, 800, 1000]


def test_a_target_that_keeps_nothing_is_given_up_at_the_lowest_rate():
    result = saturation(lambda rate: summary(rate, faults=("dead",)), search=Search(start=10, lowest=2, attempts=1))
    assert (result.kept, result.broken, result.broke) == (None, 2, ("dead",))
    assert [trial.rate for trial in result.trials] == [10, 5, 2.5, 2]


def test_one_bad_run_is_not_saturation():
    runs = []

    def measure(rate):
        runs.append(rate)
        return summary(rate, faults=("a hiccup",) if len(runs) == 3 else ())

    result = saturation(measure, search=Search(start=100, highest=800))
    assert result.kept == 800
    assert runs == [100, 200, 400, 400, 800]


def test_a_search_may_end_before_its_bracket_is_narrow():
    result = saturation(lambda rate: summary(rate), search=Search(start=100, most_trials=3))
    assert [trial.rate for trial in result.trials] == [100, 200, 400]
    assert (result.kept, result.broken) == (400, None)


def test_what_was_broken_is_said():
    limits = Limits(p99=0.05, error_share=0.01)
    assert limits.broken_by(summary(1, p99=0.05, errors={"timed out": 10})) == ()
    first, second, third = limits.broken_by(summary(1, p99=0.06, errors={"cut": 11}, faults=("late",)))
    assert first == "late"
    assert second == "p99 of 60.0 ms is above the limit of 50.0 ms."
    assert third == "1.10% of requests failed, above the limit of 1.00%."


def test_a_p99_that_is_unknown_keeps_no_limit():
    assert Limits(p99=1.0).broken_by(summary(1, p99=float("nan")))


def test_rates_above_the_first_broken_one_do_not_count():
    assert bracket([Trial(1, ()), Trial(2, ("no",)), Trial(4, ())]) == (1, 2)
    assert next_rate([Trial(1, ()), Trial(2, ("no",)), Trial(4, ())], Search(attempts=1)) == pytest.approx(2**0.5)


def test_the_saturation_of_a_simulated_server_is_its_capacity():
    """One worker at 2 ms a request takes 500 a second; with p99 limited the answer lies below that."""

    def measure(rate):
        run = simulate(arrivals(rate, 20, seed=1), one_worker(0.002), rate=rate, seconds=20, connections=16, timeout=10)
        return summarise(run)

    free = saturation(measure)
    limited = saturation(measure, Limits(p99=0.015))
    assert free.kept == pytest.approx(500, rel=0.06)
    assert limited.kept < free.kept
    assert "p99" in " ".join(limited.broke)


@pytest.mark.parametrize(
    ("field", "build"),
    [
        ("start", lambda: Search(start=0.5)),
        ("start", lambda: Search(start=30_000)),
        ("precision", lambda: Search(precision=0)),
        ("attempts", lambda: Search(attempts=0)),
        ("most_trials", lambda: Search(most_trials=0)),
        ("limits.p99", lambda: Limits(p99=0)),
        ("limits.error_share", lambda: Limits(error_share=1)),
    ],
)
def test_a_search_that_cannot_end_is_refused(field, build):
    with pytest.raises(ConfigurationError) as caught:
        build()
    assert caught.value.field == field
