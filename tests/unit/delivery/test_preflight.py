"""Everything that stands in the way is said at once, each with its mend."""

import pytest

from gauntlet.delivery.preflight import Obstacle, no_obstacles, require_clear
from gauntlet.errors import ConfigurationError

RUNTIME = Obstacle("ServingRuntime", "gauntlet-serving is not there", "Apply the one of manifests/")
PATCH = Obstacle("patch httproutes", "this account may not do it in ml.", "Bind the Role of manifests/ to this account")
PODS = Obstacle("spec.predictor.minReplicas", "is not set", "Set it to what carries the traffic", blocks=False)


def test_what_does_not_block_is_handed_back():
    assert require_clear([PODS], "ml/loans") == (PODS,)
    assert require_clear(no_obstacles(), "ml/loans") == ()


def test_one_obstacle_is_one_sentence():
    with pytest.raises(ConfigurationError) as caught:
        require_clear([PODS, RUNTIME], "ml/loans")
    said = "a rollout cannot begin: ServingRuntime gauntlet-serving is not there."
    assert str(caught.value) == f"service ml/loans: {said} Apply the one of manifests/."


def test_several_are_listed_with_their_mends():
    with pytest.raises(ConfigurationError) as caught:
        require_clear([RUNTIME, PODS, PATCH], "ml/loans")
    assert str(caught.value).splitlines() == [
        "service ml/loans: a rollout cannot begin, for 2 reasons. Mend each:",
        "  1. ServingRuntime: gauntlet-serving is not there. Apply the one of manifests/.",
        "  2. patch httproutes: this account may not do it in ml. Bind the Role of manifests/ to this account.",
    ]
