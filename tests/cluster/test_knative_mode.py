"""The test controller in Knative mode does what KServe's source says, surprises included."""

import pytest

from builders.cluster import Refused
from builders.kserve_objects import model

pytestmark = pytest.mark.cluster

STABLE, NEXT, BAD = "s3://models/1", "s3://models/2", "s3://models/bad"


@pytest.fixture
def loans(cluster):
    """A service with one revision that has all traffic."""
    cluster.create("loans", "Knative", STABLE)
    cluster.controller.settle()
    return cluster


def roll_out(cluster, uri, percent):
    cluster.set_predictor("loans", model=model(uri), canaryTrafficPercent=percent)
    cluster.controller.settle()


def test_the_first_revision_gets_all_traffic(loans):
    assert loans.traffic("loans") == [("1", 100)]
    assert loans.predictor("loans")["latestRolledoutRevision"] == "loans-predictor-00001"
    assert loans.get("loans")["status"]["deploymentMode"] == "Knative"
    assert loans.condition("loans") == "True"


def test_a_new_model_takes_the_percentage_and_the_rest_stays(loans):
    roll_out(loans, NEXT, 10)
    predictor = loans.predictor("loans")
    assert loans.traffic("loans") == [("2", 10), ("1", 90)]
    assert [item.get("tag") for item in predictor["traffic"]] == [None, "prev"]
    assert predictor["latestCreatedRevision"] == predictor["latestReadyRevision"] == "loans-predictor-00002"
    assert predictor["latestRolledoutRevision"] == "loans-predictor-00001"


def test_only_a_percentage_makes_no_revision(loans):
    roll_out(loans, NEXT, 10)
    roll_out(loans, NEXT, 50)
    assert loans.traffic("loans") == [("2", 50), ("1", 50)]
    roll_out(loans, NEXT, 100)
    assert loans.traffic("loans") == [("2", 100)]
    assert loans.predictor("loans")["previousRolledoutRevision"] == "loans-predictor-00001"


def test_running_a_finished_rollout_again_is_a_rollback(loans):
    roll_out(loans, NEXT, 100)
    roll_out(loans, NEXT, 10)
    assert loans.traffic("loans") == [("2", 10), ("1", 90)]
    assert loans.predictor("loans")["latestRolledoutRevision"] == "loans-predictor-00001"


def test_the_same_model_again_makes_no_revision(loans):
    loans.set_predictor("loans", model=model(STABLE))
    loans.controller.settle()
    assert loans.predictor("loans")["latestCreatedRevision"] == "loans-predictor-00001"


def test_an_annotation_makes_a_revision(loans):
    loans.patch("loans", {"metadata": {"annotations": {"example.com/rollout": "step-2"}}})
    loans.controller.settle()
    assert loans.traffic("loans") == [("2", 100)]


def test_the_observed_generation_is_not_that_of_the_service(loans):
    loans.set_predictor("loans", canaryTrafficPercent=100)  # what it is already: nothing for Knative to see
    loans.controller.settle()
    found = loans.get("loans")
    assert found["metadata"]["generation"] == 2
    assert found["status"]["observedGeneration"] == 1


def test_ready_goes_unknown_while_the_stable_revision_serves(loans):
    loans.set_predictor("loans", model=model(NEXT), canaryTrafficPercent=10)
    loans.controller.step()
    assert loans.condition("loans") == "True"  # nothing has shown yet
    loans.controller.step()
    assert loans.condition("loans") == "Unknown"
    assert loans.traffic("loans") == [("1", 10), ("1", 90)]
    assert loans.predictor("loans")["latestCreatedRevision"] == "loans-predictor-00002"
    loans.controller.settle()
    assert loans.condition("loans") == "True"


def test_a_slow_model_keeps_its_traffic_with_the_stable_one(loans):
    loans.controller.behave("loans", ready_after=6)
    loans.set_predictor("loans", model=model(NEXT), canaryTrafficPercent=10)
    for _ in range(6):
        loans.controller.step()
        assert {revision for revision, _ in loans.traffic("loans")} == {"1"}
    loans.controller.settle()
    assert loans.traffic("loans") == [("2", 10), ("1", 90)]


def test_a_broken_model_never_gets_traffic_and_its_failure_is_never_forgotten(loans):
    loans.controller.behave("loans", broken={BAD})
    roll_out(loans, BAD, 10)
    status = loans.get("loans")["status"]
    assert loans.condition("loans") == "False"
    assert {revision for revision, _ in loans.traffic("loans")} == {"1"}
    assert status["components"]["predictor"]["latestReadyRevision"] == "loans-predictor-00001"
    assert status["modelStatus"]["transitionStatus"] == "BlockedByFailedLoad"
    assert status["modelStatus"]["lastFailureInfo"]["message"] == f"cannot load {BAD}"

    roll_out(loans, NEXT, 10)
    model_status = loans.get("loans")["status"]["modelStatus"]
    assert loans.traffic("loans") == [("3", 10), ("1", 90)]
    assert model_status["transitionStatus"] == "UpToDate"
    assert model_status["lastFailureInfo"]["message"] == f"cannot load {BAD}"


def test_a_rollback_by_percentage_leaves_the_bad_model_in_the_spec(loans):
    roll_out(loans, NEXT, 10)
    loans.set_predictor("loans", canaryTrafficPercent=0)
    loans.controller.settle()
    assert loans.traffic("loans") == [("2", 0), ("1", 100)]
    loans.set_predictor("loans", canaryTrafficPercent=None)  # which brings the bad model back
    loans.controller.settle()
    assert loans.traffic("loans") == [("2", 100)]


def test_a_rollback_that_restores_the_template_first_is_safe(loans):
    roll_out(loans, NEXT, 10)
    roll_out(loans, NEXT, 0)
    roll_out(loans, STABLE, 0)
    assert loans.traffic("loans") == [("3", 0), ("1", 100)]
    loans.set_predictor("loans", canaryTrafficPercent=None)
    loans.controller.settle()
    assert loans.traffic("loans") == [("3", 100)]


def test_a_status_may_tell_of_the_specification_before(loans):
    loans.controller.behave("loans", lag=3)
    loans.set_predictor("loans", model=model(NEXT), canaryTrafficPercent=10)
    before = loans.get("loans")["status"]
    for _ in range(4):
        loans.controller.step()
        assert loans.get("loans")["status"] == before
    loans.controller.settle()
    assert loans.traffic("loans") == [("2", 10), ("1", 90)]


def test_a_paused_controller_does_nothing(loans):
    loans.controller.behave("loans", paused=True)
    loans.set_predictor("loans", model=model(NEXT), canaryTrafficPercent=10)
    assert not loans.controller.step()
    assert loans.traffic("loans") == [("1", 100)]
    loans.controller.behave("loans", paused=False)
    loans.controller.settle()
    assert loans.traffic("loans") == [("2", 10), ("1", 90)]


def test_no_pods_read_as_loading(loans):
    loans.controller.behave("loans", idle=True)
    loans.controller.settle()
    model_status = loans.get("loans")["status"]["modelStatus"]
    assert loans.condition("loans") == "True"
    assert model_status["transitionStatus"] == "InProgress"
    assert model_status["states"] == {"activeModelState": "Loaded", "targetModelState": "Pending"}


def test_a_route_ahead_of_its_revision_gives_the_rest_to_the_one_before_the_stable(loans):
    roll_out(loans, NEXT, 100)
    loans.controller.behave("loans", route_first=True)
    roll_out(loans, "s3://models/3", 10)
    # The stable revision is 2. For a moment 10 % and 90 % of one revision looked like a rollback from it.
    assert loans.traffic("loans") == [("3", 10), ("1", 90)]


def test_the_mode_is_decided_once(loans):
    with pytest.raises(Refused, match="deploymentMode cannot be changed from 'Knative' to 'Standard'"):
        loans.patch("loans", {"metadata": {"annotations": {"serving.kserve.io/deploymentMode": "Standard"}}})
