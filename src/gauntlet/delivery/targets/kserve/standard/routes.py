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
        weights = {backend["name"]: backend.get("weight", 1) for backend in rule["backendRefs"]}
        total = sum(weights.values())
        hundredfold = 100 * weights.get(service, 0)
        shares.add(hundredfold // total if total and hundredfold % total == 0 else None)
    return shares.pop() if len(shares) == 1 else None


def only(route: Mapping[str, Any], name: str, service: str) -> bool:
    """Whether every rule of the InferenceService has this one backend, and mirrors to none."""
    rules = _rules(route, name)
    return bool(rules) and all(
        [backend["name"] for backend in rule["backendRefs"]] == [service] and not _mirrors(rule, name) for rule in rules
    )


def knows(route: Mapping[str, Any], name: str, service: str) -> bool:
    """Whether a rule of the InferenceService has this Service among its backends, at whatever weight."""
    return any(backend["name"] == service for rule in _rules(route, name) for backend in rule["backendRefs"])


def taken(route: Mapping[str, Any]) -> bool:
    """Whether every gateway it names has accepted this generation of the route, and resolved its Services."""
    parents = (route.get("status") or {}).get("parents") or ()
    generation = route["metadata"]["generation"]
    return len(parents) >= max(1, len(route["spec"].get("parentRefs") or ())) and all(
        any(
            condition["type"] == kind
            and condition["status"] == "True"
            and condition.get("observedGeneration") == generation
            for condition in parent.get("conditions") or ()
        )
        for parent in parents
        for kind in ("Accepted", "ResolvedRefs")
    )


def accepted(route: Mapping[str, Any]) -> bool:
    """Whether a gateway has ever accepted the route, in whatever generation: others carry no requests at all."""
    return any(
        condition["type"] == "Accepted" and condition["status"] == "True"
        for parent in (route.get("status") or {}).get("parents") or ()
        for condition in parent.get("conditions") or ()
    )


def weighted(route: Mapping[str, Any], name: str, weights: Mapping[str, int]) -> list[Json]:
    """Set these weights in the InferenceService's rules of a route.

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
    """Mirror the InferenceService's requests to one of its Services, or to none.

    The gateway drops the mirror's answers; the Service's own metrics count them.
    """

    def change(rule: Json) -> None:
        others = [other for other in rule.get("filters") or () if other not in _mirrors(rule, name)]
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
    backends = [backend["name"] for backend in rule.get("backendRefs") or ()]
    return bool(backends) and _are_predictors(backends, name)


def _are_predictors(services: Iterable[str], name: str) -> bool:
    ending = predictor_service("")
    return all(
        service == name + ending or (service.startswith(f"{name}-") and service.endswith(ending))
        for service in services
    )


def _mirrors(rule: Mapping[str, Any], name: str) -> list[Json]:
    mirrors = [rule_filter for rule_filter in rule.get("filters") or () if rule_filter.get("type") == _MIRROR]
    return [mirror for mirror in mirrors if _are_predictors([mirror["requestMirror"]["backendRef"]["name"]], name)]
