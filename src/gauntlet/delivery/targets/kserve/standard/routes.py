"""Weights and mirrors of an HTTPRoute: read, and written into a copy of its rules. No I/O.

A rule belongs to an InferenceService when all its backends are predictors of that: only such rules are touched, and
their matches and other filters stay as they are.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from gauntlet.delivery.targets.kserve.resources import predictor_service

Json = dict[str, Any]

_MIRROR = "RequestMirror"


def share(route: Mapping[str, Any], name: str, service: str) -> int | None:
    """Percent of the requests that an InferenceService's rules give one of its Services.

    Args:
        route: the HTTPRoute.
        name: of the InferenceService.
        service: of one of its predictors.

    Returns:
        ``None`` where no rule is the InferenceService's, or they differ, or it is not a whole percentage.
    """
    shares = set()
    for rule in _rules(route, name):
        weights = {one["name"]: one.get("weight", 1) for one in rule["backendRefs"]}
        total = sum(weights.values())
        hundredfold = 100 * weights.get(service, 0)
        shares.add(hundredfold // total if total and hundredfold % total == 0 else None)
    return shares.pop() if len(shares) == 1 else None


def only(route: Mapping[str, Any], name: str, service: str) -> bool:
    """Whether every rule of the InferenceService has this one backend, and mirrors to none."""
    rules = _rules(route, name)
    return bool(rules) and all(
        [one["name"] for one in rule["backendRefs"]] == [service] and not _mirrors(rule, name) for rule in rules
    )


def knows(route: Mapping[str, Any], name: str, service: str) -> bool:
    """Whether a rule of the InferenceService has this Service among its backends, at whatever weight."""
    return any(one["name"] == service for rule in _rules(route, name) for one in rule["backendRefs"])


def taken(route: Mapping[str, Any]) -> bool:
    """Whether every gateway it names has accepted the route as it is now, and found its Services."""
    parents = (route.get("status") or {}).get("parents") or ()
    generation = route["metadata"]["generation"]
    return len(parents) >= max(1, len(route["spec"].get("parentRefs") or ())) and all(
        any(
            one["type"] == kind and one["status"] == "True" and one.get("observedGeneration") == generation
            for one in parent.get("conditions") or ()
        )
        for parent in parents
        for kind in ("Accepted", "ResolvedRefs")
    )


def accepted(route: Mapping[str, Any]) -> bool:
    """Whether a gateway has ever accepted the route, in whatever generation: others carry no requests at all."""
    return any(
        one["type"] == "Accepted" and one["status"] == "True"
        for parent in (route.get("status") or {}).get("parents") or ()
        for one in parent.get("conditions") or ()
    )


def weighted(route: Mapping[str, Any], name: str, weights: Mapping[str, int]) -> list[Json]:
    """The rules of a route with these weights in the InferenceService's.

    Args:
        route: the HTTPRoute.
        name: of the InferenceService.
        weights: Service → percent; together 100. One with all of it stands alone, whatever others are named with 0.
    """
    whole = [service for service, weight in weights.items() if weight == 100]
    wanted = dict.fromkeys(whole, 100) or dict(weights)

    def change(rule: Json) -> None:
        template = rule["backendRefs"][0]
        rule["backendRefs"] = [{**template, "name": service, "weight": weight} for service, weight in wanted.items()]

    return _changed(route, name, change)


def mirrored(route: Mapping[str, Any], name: str, service: str | None) -> list[Json]:
    """The rules of a route that mirror the InferenceService's requests to one of its Services, or to none.

    The answers of the mirror are thrown away by the gateway; the Service's own metrics tell of them.
    """

    def change(rule: Json) -> None:
        others = [one for one in rule.get("filters") or () if one not in _mirrors(rule, name)]
        backend = {key: value for key, value in rule["backendRefs"][0].items() if key not in ("weight", "filters")}
        mirror = {"type": _MIRROR, "requestMirror": {"backendRef": {**backend, "name": service}}}
        rule["filters"] = [*others, mirror] if service else others

    return _changed(route, name, change)


def _changed(route: Mapping[str, Any], name: str, change: Any) -> list[Json]:
    rules = copy.deepcopy(route["spec"].get("rules") or [])
    for rule in rules:
        if _is_of(rule, name):
            change(rule)
    return list(rules)


def _rules(route: Mapping[str, Any], name: str) -> list[Json]:
    return [rule for rule in route["spec"].get("rules") or () if _is_of(rule, name)]


def _is_of(rule: Mapping[str, Any], name: str) -> bool:
    backends = [one["name"] for one in rule.get("backendRefs") or ()]
    return bool(backends) and _are_predictors(backends, name)


def _are_predictors(services: Iterable[str], name: str) -> bool:
    ending = predictor_service("")
    return all(one == name + ending or (one.startswith(f"{name}-") and one.endswith(ending)) for one in services)


def _mirrors(rule: Mapping[str, Any], name: str) -> list[Json]:
    filters = [one for one in rule.get("filters") or () if one.get("type") == _MIRROR]
    return [one for one in filters if _are_predictors([one["requestMirror"]["backendRef"]["name"]], name)]
