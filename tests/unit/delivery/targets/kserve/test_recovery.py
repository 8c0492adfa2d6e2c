"""What an InferenceService shows of a rollout where no journal tells: by what was kept, else by shares."""

import pytest

from builders.kserve_rollouts import V1, V2, V3
from gauntlet.delivery.rollout.state import Phase
from gauntlet.delivery.targets.kserve.knative.view import Revision
from gauntlet.delivery.targets.kserve.knative.view import View as KnativeView
from gauntlet.delivery.targets.kserve.predictors import identity_of, with_percent, with_release
from gauntlet.delivery.targets.kserve.recovery import knative_rollout, standard_rollout, standard_saved_state
from gauntlet.delivery.targets.kserve.saved_state import SavedRollout, SavedState
from gauntlet.delivery.targets.kserve.standard.view import View as StandardView

BARE = {"model": {"modelFormat": {"name": "mlflow"}, "runtime": "gauntlet"}, "minReplicas": 2}
ONE, TWO, THREE = (with_release(BARE, release) for release in (V1, V2, V3))
KEPT = SavedRollout((V2.version, V2.digest), "again", 7.0, SavedState(ONE))


def entry(predictor, percent, replicas=1):
    return {"predictor": {**predictor, "name": "v", "minReplicas": replicas}, "trafficPercent": percent}


def standard(predictor, *entries, kept=None):
    return standard_rollout(StandardView("loans", predictor, entries), "ml/loans", kept, 99.0)


def knative(predictor, percent, kept=None, **shares):
    """Shares of revisions, by what they run."""
    templates = {"one": (ONE, V1.uri), "two": (TWO, V2.uri), "bare": (ONE, ""), "foreign": (BARE, "s3://x")}
    found = {name: Revision(identity_of(templates[name][0]), True, uri=templates[name][1]) for name in shares}
    view = KnativeView(with_percent(predictor, percent), True, traffic=shares, revisions=found)
    return knative_rollout(view, "ml/loans", kept, 99.0)


def told(shown):
    rollout = shown.rollout
    versions = rollout.candidate.version, rollout.stable.version
    return *versions, rollout.phase, rollout.weight, rollout.began, rollout.attempt


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (standard(ONE, entry(TWO, 50), kept=KEPT), ("2", "1", Phase.RAMPING, 50, 7.0, "again")),
        (standard(ONE, entry(TWO, 0), kept=KEPT), ("2", "1", Phase.DEPLOYING, 0, 7.0, "again")),
        (standard(TWO, entry(ONE, 30), kept=KEPT), ("2", "1", Phase.RAMPING, 70, 7.0, "again")),
        (standard(TWO, kept=KEPT), ("2", "1", Phase.PROMOTED, 100, 7.0, "again")),
        (standard(ONE, entry(TWO, 100), kept=KEPT), ("2", "1", Phase.RAMPING, 100, 7.0, "again")),
        (standard(ONE, entry(TWO, 50)), ("2", "1", Phase.RAMPING, 50, 99.0, "")),
        (standard(TWO, entry(THREE, 50), kept=KEPT), ("3", "2", Phase.RAMPING, 50, 99.0, "")),
        (knative(TWO, 50, KEPT, one=50, two=50), ("2", "1", Phase.RAMPING, 50, 7.0, "again")),
        (knative(TWO, 0, KEPT, one=100), ("2", "1", Phase.DEPLOYING, 0, 7.0, "again")),
        (knative(TWO, 100, KEPT, two=100), ("2", "1", Phase.RAMPING, 100, 7.0, "again")),
        (knative(TWO, None, KEPT, two=100), ("2", "1", Phase.PROMOTED, 100, 7.0, "again")),
        (knative(ONE, None, KEPT, two=100), ("2", "1", Phase.RAMPING, 100, 7.0, "again")),
        (knative(TWO, 50, one=50, two=50), ("2", "1", Phase.RAMPING, 50, 99.0, "")),
    ],
)
def test_what_is_there_tells_who_is_stable(shown, expected):
    assert told(shown) == expected


@pytest.mark.parametrize(
    "shown",
    [
        standard(ONE),
        standard(ONE, kept=KEPT),
        standard(BARE, entry(TWO, 50)),
        standard(ONE, entry(BARE, 50)),
        knative(ONE, None, one=100),
        knative(ONE, None, KEPT, one=100),
        knative(TWO, None, two=100),
        knative(BARE, 50, one=50),
        knative(TWO, 50, bare=50, two=50),
        knative(TWO, 50, foreign=50, two=50),
    ],
)
def test_one_version_alone_or_one_without_a_name_tells_nothing(shown):
    assert shown is None


@pytest.mark.parametrize(
    ("predictor", "entries", "least"),
    [
        ({**ONE, "minReplicas": 4}, [entry(TWO, 50, 1)], 3),
        ({**ONE, "minReplicas": 4, "maxReplicas": 4}, [entry(TWO, 50, 1)], 4),
        ({**ONE, "minReplicas": 1}, [entry(TWO, 50, 3)], 0),
        ({**ONE, "minReplicas": 4}, [], 4),
        ({"model": ONE["model"]}, [entry(TWO, 50, 1)], None),
    ],
    ids=["added", "at the most", "fewer than were added", "alone", "none named"],
)
def test_pods_that_were_added_beside_an_entry_are_not_of_before(predictor, entries, least):
    found = standard_saved_state(StandardView("loans", predictor, tuple(entries)))
    assert found.predictor.get("minReplicas") == least
