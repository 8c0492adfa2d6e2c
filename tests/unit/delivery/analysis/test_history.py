"""The counts of every test are kept for a drawing: few of them, the newest always, and one test throughout."""

from builders.judging import Story, plan, ramping
from gauntlet.delivery.analysis.history import MOST_SAMPLES, append_sample, series_of
from gauntlet.delivery.analysis.state import AnalysisState, CountSample


def story(looks, **chosen):
    told = Story(plan(metrics=["errors", "scores"], **chosen)).with_baseline()
    told.assess(ramping())
    for _ in range(looks):
        told.serve(1800, 200).assess(ramping())
    return told


def test_every_test_of_a_metric_with_several_is_kept_look_by_look():
    state = story(3).state
    assert [set(one.counts) for one in state.history] == [{"scores"}] * 4
    tallies = state.evidence["scores"].tallies
    assert state.history[-1].counts["scores"] == tuple((*one.canary, *one.stable) for one in tallies.values())
    assert state.history[-1].at == state.at
    requests = [one.counts["scores"][0][1] for one in state.history]
    assert requests == sorted(set(requests))


def test_the_test_that_leads_now_is_followed_from_the_beginning():
    state = story(3).state
    for name, tally in state.evidence["scores"].tallies.items():
        counts = series_of(state, "scores", name)
        index = list(state.evidence["scores"].tallies).index(name)
        assert counts[-1][1] == (*tally.canary, *tally.stable)
        assert [one for _, one in counts] == [one.counts["scores"][index] for one in state.history]
    assert series_of(state, "scores", "above 7") == ()
    assert series_of(state, "errors", "errors") == ()
    assert series_of(AnalysisState(3), "scores", name) == ()


def test_a_long_history_is_thinned_and_keeps_its_ends():
    evidence, history = story(1).state.evidence, ()
    for at in range(10 * MOST_SAMPLES):
        history = append_sample(history, evidence, float(at))
        assert len(history) <= MOST_SAMPLES
        assert (history[0].at, history[-1].at) == (0.0, float(at))
    assert [one.at for one in history] == sorted({one.at for one in history})


def test_nothing_is_kept_of_what_has_one_test():
    told = Story(plan(metrics=["errors"])).with_baseline()
    told.assess(ramping())
    told.serve(1800, 200).assess(ramping())
    assert told.state.history == ()
    assert append_sample((CountSample(1.0, {}),), {}, 2.0) == (CountSample(1.0, {}),)
