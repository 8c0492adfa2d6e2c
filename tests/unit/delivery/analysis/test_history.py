"""The counts of every test are kept for a drawing: few of them, the newest always, and one test throughout."""

from builders.judging import Story, plan, ramping
from gauntlet.delivery.analysis.history import MOST_GLANCES, followed, glanced
from gauntlet.delivery.analysis.state import Glance, Memory


def story(looks, **chosen):
    told = Story(plan(metrics=["errors", "scores"], **chosen)).with_baseline()
    told.look(ramping())
    for _ in range(looks):
        told.serve(1800, 200).look(ramping())
    return told


def test_every_test_of_a_metric_with_several_is_kept_look_by_look():
    memory = story(3).memory
    assert [set(one.counts) for one in memory.trail] == [{"scores"}] * 4
    tallies = memory.evidence["scores"].tallies
    assert memory.trail[-1].counts["scores"] == tuple((*one.canary, *one.stable) for one in tallies.values())
    assert memory.trail[-1].at == memory.at
    requests = [one.counts["scores"][0][1] for one in memory.trail]
    assert requests == sorted(set(requests))


def test_the_test_that_leads_now_is_followed_from_the_beginning():
    memory = story(3).memory
    for name, tally in memory.evidence["scores"].tallies.items():
        found, counts = followed(memory, "scores", tally.canary, tally.stable)
        index = list(memory.evidence["scores"].tallies).index(name)
        assert found == name
        assert [one for _, one in counts] == [one.counts["scores"][index] for one in memory.trail]
    assert followed(memory, "scores", (1.0, 2.0), (3.0, 4.0)) == ("", ())
    assert followed(memory, "errors", *(memory.evidence["errors"].tallies["errors"].canary,) * 2) == ("", ())
    assert followed(Memory(3), "scores", (1.0, 2.0), (3.0, 4.0)) == ("", ())


def test_a_long_trail_is_thinned_and_keeps_its_ends():
    evidence, trail = story(1).memory.evidence, ()
    for at in range(10 * MOST_GLANCES):
        trail = glanced(trail, evidence, float(at))
        assert len(trail) <= MOST_GLANCES
        assert (trail[0].at, trail[-1].at) == (0.0, float(at))
    assert [one.at for one in trail] == sorted({one.at for one in trail})


def test_nothing_is_kept_of_what_has_one_test():
    told = Story(plan(metrics=["errors"])).with_baseline()
    told.look(ramping())
    told.serve(1800, 200).look(ramping())
    assert told.memory.trail == ()
    assert glanced((Glance(1.0, {}),), {}, 2.0) == (Glance(1.0, {}),)
