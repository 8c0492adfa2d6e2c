"""Weights and mirrors of HTTPRoutes."""

import pytest

from gauntlet.delivery.targets.kserve.standard import routes

STABLE, CANARY = "loans-predictor", "loans-v2-22222222-predictor"
OTHER = {"matches": [{"path": {"value": "/docs"}}], "backendRefs": [{"name": "docs", "port": 80}]}
HEADER = {"type": "RequestHeaderModifier", "requestHeaderModifier": {"set": [{"name": "x", "value": "1"}]}}


def route(*weights, others=(), status="True", observed=3, parents=1):
    rules = [
        {"filters": [HEADER], "backendRefs": [{"name": name, "port": 8080, "weight": weight} for name, weight in pairs]}
        for pairs in weights
    ]
    conditions = [
        {"type": kind, "status": status, "observedGeneration": observed} for kind in ("Accepted", "ResolvedRefs")
    ]
    return {
        "metadata": {"generation": 3},
        "spec": {"parentRefs": [{"name": "gateway"}], "rules": [*rules, *others]},
        "status": {"parents": [{"conditions": conditions}] * parents},
    }


@pytest.mark.parametrize(
    ("weights", "share"),
    [
        ([[(STABLE, 90), (CANARY, 10)]], 10),
        ([[(STABLE, 9), (CANARY, 1)]], 10),
        ([[(STABLE, 100)]], 0),
        ([[(CANARY, 1)]], 100),
        ([[(STABLE, 90), (CANARY, 10)], [(STABLE, 50), (CANARY, 50)]], None),
        ([[(STABLE, 2), (CANARY, 1)]], None),
        ([[(STABLE, 0), (CANARY, 0)]], None),
        ([], None),
    ],
)
def test_a_share_is_what_all_rules_say(weights, share):
    assert routes.share(route(*weights), "loans", CANARY) == share


def test_weights_change_nothing_else():
    before = route([(STABLE, 100)], others=[OTHER])
    after = {**before, "spec": {"rules": routes.weighted(before, "loans", {STABLE: 75, CANARY: 25})}}
    assert routes.share(after, "loans", CANARY) == 25
    assert after["spec"]["rules"][1] == OTHER
    assert after["spec"]["rules"][0]["filters"] == [HEADER]
    assert {one["port"] for one in after["spec"]["rules"][0]["backendRefs"]} == {8080}
    assert routes.only(before, "loans", STABLE), "the one given stays as it is"


def test_one_with_everything_stands_alone_so_that_the_other_may_go():
    before = route([(STABLE, 90), (CANARY, 10)])
    after = {**before, "spec": {"rules": routes.weighted(before, "loans", {STABLE: 0, CANARY: 100})}}
    assert routes.only(after, "loans", CANARY)
    assert not routes.knows(after, "loans", STABLE)


@pytest.mark.parametrize("service", ["loans-and-more", "other-predictor", "loan-predictor"])
def test_rules_of_others_are_not_touched(service):
    foreign = route([(service, 100)])
    assert routes.share(foreign, "loans", service) is None
    assert routes.weighted(foreign, "loans", {STABLE: 100}) == foreign["spec"]["rules"]
    mixed = route([(STABLE, 50), (service, 50)])
    assert routes.weighted(mixed, "loans", {STABLE: 100}) == mixed["spec"]["rules"]


def test_a_mirror_comes_and_goes_alone():
    before = route([(STABLE, 100)], others=[OTHER])
    mirrored = {**before, "spec": {"rules": routes.mirrored(before, "loans", CANARY)}}
    assert mirrored["spec"]["rules"][0]["filters"] == [
        HEADER,
        {"type": "RequestMirror", "requestMirror": {"backendRef": {"name": CANARY, "port": 8080}}},
    ]
    assert routes.mirrored(mirrored, "loans", CANARY) == mirrored["spec"]["rules"]
    assert not routes.only(mirrored, "loans", STABLE)
    assert routes.mirrored(mirrored, "loans", None) == before["spec"]["rules"]


def test_a_route_counts_only_as_its_gateway_has_taken_it():
    assert routes.taken(route([(STABLE, 100)]))
    assert not routes.taken(route([(STABLE, 100)], observed=2)), "the gateway still routes by the one before"
    assert not routes.taken(route([(STABLE, 100)], status="False"))
    assert not routes.taken(route([(STABLE, 100)], parents=0))
    assert routes.accepted(route([(STABLE, 100)], observed=1))
    assert not routes.accepted(route([(STABLE, 100)], parents=0))
