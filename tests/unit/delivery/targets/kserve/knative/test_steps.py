"""Knative mode, step by step, from views made by hand."""

from dataclasses import replace

import pytest

from builders.kserve_rollouts import V1, V2, V3
from gauntlet.delivery.rollout.state import Phase, begin
from gauntlet.delivery.targets.kserve.knative import steps
from gauntlet.delivery.targets.kserve.knative.view import Revision, View, read, revision, target_status
from gauntlet.delivery.targets.kserve.predictors import identity_of, mark_of, marked, with_percent, with_release
from gauntlet.delivery.targets.kserve.saved_state import SavedState

OLD = with_release({"model": {"runtime": "gauntlet-serving"}}, V1)
NEW = with_release(OLD, V2)
ROLLOUT = begin("ml/loans", V2, V1, 0.0)
RAMPING = replace(ROLLOUT, phase=Phase.RAMPING, weight=10)
BACK = replace(ROLLOUT, phase=Phase.ROLLING_BACK)
RESTORED = marked(OLD, mark_of("after", ROLLOUT))
REVISIONS = {"r1": Revision(identity_of(OLD), True), "r2": Revision(identity_of(NEW), True)}


def deployed(percent=0, **changes):
    """Version 1 with everything but the percentage, version 2 as the template."""
    share = 100 if percent is None else percent
    view = View(
        with_percent(NEW, percent),
        arrived=True,
        created="r2",
        ready="r2",
        rolled_out="r1",
        traffic={"r1": 100 - share, "r2": share},
        revisions=REVISIONS,
        before=SavedState(OLD, "r1"),
    )
    return replace(view, **changes)


def settled(**changes):
    """Version 1 with everything."""
    view = View(OLD, True, "r1", "r1", "r1", "", {"r1": 100}, REVISIONS)
    return replace(view, **changes)


def test_what_was_there_is_written_down_before_anything_is_changed():
    assert steps.deploy(settled(), ROLLOUT) == steps.Change(keep=SavedState(OLD))
    assert steps.deploy(settled(before=SavedState(OLD)), ROLLOUT) == steps.Change(keep=SavedState(OLD, "r1"))
    assert steps.deploy(settled(before=SavedState(OLD, "r1")), ROLLOUT) == steps.Change(predictor=with_percent(NEW, 0))


@pytest.mark.parametrize(
    "changes",
    [
        {"rolled_out": ""},
        {"arrived": False},
        {"created": "r2"},
        {"traffic": {"r1": 90, "r2": 10}},
        {"predictor": with_percent(OLD, 0)},
    ],
    ids=["nothing ever had everything", "an old status", "another is coming", "requests are split", "another canary"],
)
def test_nothing_is_deployed_on_what_is_not_settled(changes):
    assert steps.deploy(settled(**changes), ROLLOUT) is None


def test_where_the_revision_before_runs_something_else_stable_is_first_copied():
    older = {**REVISIONS, "r0": Revision(identity_of(with_release(OLD, V3)), True)}
    view = settled(previous="r0", revisions=older, before=SavedState(OLD))
    copied = marked(OLD, mark_of("before", ROLLOUT))
    assert steps.deploy(view, ROLLOUT) == steps.Change(predictor=copied)
    assert steps.deploy(replace(view, predictor=copied), ROLLOUT) is None


def test_a_step_is_done_when_the_route_says_so():
    assert target_status(deployed(10), RAMPING).weight == 10
    assert target_status(deployed(10, traffic={"r1": 100}), RAMPING).weight == 0
    assert target_status(deployed(10, traffic={}), RAMPING).weight is None


def test_a_share_needs_a_candidate_that_answers_and_a_stable_version_that_gets_the_rest():
    assert steps.set_weight(deployed(), RAMPING) == steps.Change(predictor=with_percent(NEW, 10))
    assert steps.set_weight(deployed(10), RAMPING) is None
    assert steps.set_weight(deployed(ready="r1"), RAMPING) is None
    assert steps.set_weight(deployed(arrived=False), RAMPING) is None
    assert steps.set_weight(deployed(rolled_out="r0"), RAMPING) is None


def test_the_rollback_is_routes_then_template_then_no_share():
    seen = deployed(10)
    assert steps.roll_back(seen, BACK).predictor == with_percent(NEW, 0)
    assert steps.roll_back(deployed(0, traffic={"r1": 90, "r2": 10}), BACK) is None, "requests still go there"
    assert steps.roll_back(deployed(0), BACK).predictor == with_percent(RESTORED, 0)
    waiting = deployed(predictor=with_percent(RESTORED, 0), arrived=False)
    assert steps.roll_back(waiting, BACK) is None, "the bad revision may still be the latest that is ready"
    revisions = {**REVISIONS, "r3": Revision(identity_of(RESTORED), True)}
    there = replace(waiting, arrived=True, created="r3", ready="r3", revisions=revisions)
    assert steps.roll_back(there, BACK).predictor == RESTORED
    assert not target_status(there, BACK).done
    whole = replace(there, predictor=RESTORED, rolled_out="r3", traffic={"r3": 100})
    assert steps.roll_back(whole, BACK) is None
    assert target_status(whole, BACK).done


def test_a_rollback_always_writes_so_that_a_late_deployment_is_refused():
    untouched = settled(before=SavedState(OLD, "r1"))
    assert not target_status(untouched, BACK).done
    assert steps.roll_back(untouched, BACK).predictor == RESTORED


def test_where_the_rest_would_go_to_nobody_the_old_template_comes_first():
    """Share 0 would change nothing: the revision that is to have the rest is gone."""
    promoted = deployed(None, rolled_out="r2", previous="r1", traffic={"r2": 100}, revisions={"r2": REVISIONS["r2"]})
    assert not target_status(promoted, BACK).stable_ready
    assert target_status(promoted, BACK).candidate_ready
    assert steps.restore(promoted, BACK).predictor == RESTORED
    assert target_status(replace(promoted, revisions=REVISIONS), BACK).stable_ready


def test_only_the_failure_of_the_revision_that_is_asked_for_counts():
    failed = Revision(identity_of(NEW), False, "ExitCode1: it fell")
    deploying = deployed(ready="r1", revisions={**REVISIONS, "r2": failed})
    assert target_status(deploying, ROLLOUT).failed == "ExitCode1: it fell"
    assert target_status(replace(deploying, arrived=False), ROLLOUT).failed == ""


def test_what_others_did_is_no_success():
    assert "changed the model to version 3" in target_status(deployed(predictor=with_release(OLD, V3)), RAMPING).failed
    assert "put version 1 back" in target_status(deployed(predictor=OLD), RAMPING).failed
    assert "not version 1" in target_status(deployed(rolled_out="r0"), RAMPING).failed
    assert "serves already" in target_status(deployed(), replace(RAMPING, stable=V2)).failed


def document(name="r1", generation=4, observed=4, ready="True", **pods):
    return {
        "metadata": {"name": name, "generation": generation},
        "spec": {"template": {"spec": {"containers": [pods]}}, "containers": [pods]},
        "status": {
            "observedGeneration": observed,
            "latestCreatedRevisionName": name,
            "latestReadyRevisionName": name,
            "conditions": [{"type": "Ready", "status": ready, "reason": "Why", "message": "because"}],
        },
    }


@pytest.mark.parametrize(
    ("service", "arrived"),
    [
        (document(env=OLD["model"]["env"]), True),
        (document(env=OLD["model"]["env"], observed=3), False),
        (document(env=NEW["model"]["env"]), False),
        (document(name="r2", env=OLD["model"]["env"]), False),
        (None, False),
    ],
    ids=["it is", "not yet seen", "another template", "the status is older", "no service"],
)
def test_a_status_counts_when_it_is_of_the_template_specified(service, arrived):
    component = {"latestCreatedRevision": "r1", "latestReadyRevision": "r1"}
    isvc = {"spec": {"predictor": OLD}, "status": {"components": {"predictor": component}}}
    assert read(isvc, service, REVISIONS, None).arrived is arrived


def test_the_latest_revision_has_to_be_of_that_template_too():
    """Knative's Service may have been told and not yet have made the revision."""
    component = {"latestCreatedRevision": "r2", "latestReadyRevision": "r2"}
    isvc = {"spec": {"predictor": RESTORED}, "status": {"components": {"predictor": component}}}
    assert not read(isvc, document(name="r2", env=RESTORED["model"]["env"]), REVISIONS, None).arrived


def test_a_revision_answers_fails_or_is_awaited():
    assert revision(document(env=OLD["model"]["env"])) == Revision(identity_of(OLD), True)
    assert revision(document(ready="False")) == Revision(None, False, "Why: because")
    assert revision(document(ready="Unknown")) == Revision(None, False)
