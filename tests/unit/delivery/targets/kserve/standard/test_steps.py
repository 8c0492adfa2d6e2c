"""Standard mode, step by step, from views made by hand."""

from dataclasses import replace

import pytest

from builders.kserve_rollouts import NAME, V1, V2
from gauntlet.delivery.rollout.state import Phase, begin
from gauntlet.delivery.targets.kserve.predictors import identity_of, mark_of, with_release
from gauntlet.delivery.targets.kserve.saved_state import SavedState
from gauntlet.delivery.targets.kserve.standard import steps
from gauntlet.delivery.targets.kserve.standard.view import NOTE, View, Workload, target_status, variant_name, workload

PREDICTOR = with_release({"model": {"runtime": "gauntlet-serving"}}, V1)
STABLE, CANARY = f"{NAME}-predictor", f"{NAME}-{variant_name(V2)}-predictor"
ROLLOUT = begin(f"ml/{NAME}", V2, V1, 0.0)
RAMPING = replace(ROLLOUT, phase=Phase.RAMPING, weight=10)
BACK = replace(ROLLOUT, phase=Phase.ROLLING_BACK)


def route(*weights, taken=True, note=""):
    conditions = [
        {"type": kind, "status": "True", "observedGeneration": 1 if taken else 0}
        for kind in ("Accepted", "ResolvedRefs")
    ]
    return {
        "metadata": {"generation": 1, "annotations": {NOTE: note}},
        "spec": {"rules": [{"backendRefs": [{"name": name, "weight": weight} for name, weight in weights]}]},
        "status": {"parents": [{"conditions": conditions}]},
    }


def deployed(*, weight=0, available=1, **changes):
    """Version 1 with everything but the weight, version 2 beside it."""
    candidate = {"name": variant_name(V2), "model": with_release(PREDICTOR, V2)["model"], "minReplicas": 1}
    workloads = {
        STABLE: Workload(identity_of(PREDICTOR), available=1),
        CANARY: Workload(identity_of(candidate), available=available),
    }
    view = View(
        NAME,
        PREDICTOR,
        ({"predictor": candidate, "trafficPercent": weight},),
        workloads,
        route((STABLE, 100 - weight), (CANARY, weight)),
        before=SavedState(PREDICTOR),
    )
    return replace(view, **changes)


def test_what_was_there_is_written_down_before_anything_is_changed():
    view = deployed(entries=(), before=None, route=route((STABLE, 100)))
    assert steps.deploy(view, ROLLOUT) == steps.Change(keep=SavedState(PREDICTOR))
    (entry,) = steps.deploy(replace(view, before=SavedState(PREDICTOR)), ROLLOUT).spec["canary"]
    assert entry["trafficPercent"] == 0
    assert entry["predictor"]["minReplicas"] == 1, "of 0 % KServe would make no pod at all"


def test_no_weight_before_all_pods_of_the_candidate_answer():
    assert steps.set_weight(deployed(available=0), RAMPING) is None
    assert steps.set_weight(deployed(workloads={}), RAMPING) is None
    assert steps.set_weight(deployed(), RAMPING).rules[0]["backendRefs"] == [
        {"name": STABLE, "weight": 90},
        {"name": CANARY, "weight": 10},
    ]


@pytest.mark.parametrize(("least", "most", "asked"), [(0, None, 1), (4, None, 5), (4, 4, 4)])
def test_the_predictor_asks_for_as_many_more_pods_as_the_entry_takes_from_it(least, most, asked):
    predictor = {**PREDICTOR, "minReplicas": least, **({"maxReplicas": most} if most else {})}
    view = deployed(predictor=predictor, entries=(), before=SavedState(predictor), route=route((STABLE, 100)))
    spec = steps.deploy(view, ROLLOUT).spec
    assert spec["predictor"]["minReplicas"] == asked
    assert spec["canary"][0]["predictor"]["minReplicas"] <= asked, "KServe refuses more than the predictor asks for"


def test_a_weight_counts_when_the_gateway_has_taken_it():
    assert target_status(deployed(weight=10), RAMPING).weight == 10
    lagging = deployed(weight=10, route=route((STABLE, 90), (CANARY, 10), taken=False))
    assert target_status(lagging, RAMPING).weight is None


def test_the_candidate_stays_until_no_route_leads_to_it():
    noted = route((STABLE, 100), note=mark_of("after", BACK), taken=False)
    first = steps.roll_back(deployed(weight=10), BACK)
    assert first.rules[0]["backendRefs"] == [{"name": STABLE, "weight": 100}]
    assert first.note == mark_of("after", BACK)
    assert steps.roll_back(deployed(route=noted), BACK) is None, "the gateway still sends there"
    taken = {**noted, "status": route((STABLE, 100))["status"]}
    assert steps.roll_back(deployed(route=taken), BACK).spec == {"predictor": PREDICTOR, "canary": None}


def test_a_rollback_always_writes_the_route_so_that_late_changes_of_it_are_refused():
    clean = deployed(entries=(), route=route((STABLE, 100)))
    assert not target_status(clean, BACK).done
    assert steps.roll_back(clean, BACK).note == mark_of("after", BACK)
    assert target_status(replace(clean, route=route((STABLE, 100), note=mark_of("after", BACK))), BACK).done


def test_a_promotion_moves_the_routes_before_the_name():
    promoting = replace(ROLLOUT, phase=Phase.PROMOTING, weight=100)
    assert steps.promote(deployed(weight=50), promoting).rules[0]["backendRefs"] == [{"name": CANARY, "weight": 100}]
    whole = deployed(weight=100, route=route((CANARY, 100), taken=False))
    assert steps.promote(whole, promoting) is None
    change = steps.promote(replace(whole, route=route((CANARY, 100))), promoting)
    assert change.spec["canary"] is None
    assert change.spec["predictor"]["name"] == variant_name(V2)


def test_nothing_is_done_for_a_rollout_that_changed_nothing():
    strange = deployed(before=None)
    assert steps.roll_back(strange, BACK) is None
    assert steps.restore(strange, BACK) is None
    assert target_status(strange, BACK).done


@pytest.mark.parametrize(
    ("status", "found"),
    [
        ({"observedGeneration": 1, "availableReplicas": 2, "updatedReplicas": 2}, None),
        ({"observedGeneration": 2, "availableReplicas": 2, "updatedReplicas": 1}, 1),
        ({"observedGeneration": 2, "availableReplicas": 2, "updatedReplicas": 2}, 2),
        ({"observedGeneration": 2}, 0),
    ],
    ids=["of an earlier template", "half of them are old", "all", "none"],
)
def test_pods_count_when_they_are_of_the_template_asked_for(status, found):
    pods = {"containers": [PREDICTOR["model"]]}
    document = {"metadata": {"generation": 2}, "spec": {"replicas": 2, "template": {"spec": pods}}, "status": status}
    one = workload(document)
    assert (one and one.available) == found


def test_a_deployment_that_missed_its_deadline_says_why():
    pods = {"containers": [PREDICTOR["model"]]}
    late = {"type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "message": "timed out"}
    status = {"observedGeneration": 1, "conditions": [late]}
    document = {"metadata": {"generation": 1}, "spec": {"template": {"spec": pods}}, "status": status}
    assert workload(document).failed == "ProgressDeadlineExceeded: timed out"
