"""Examinations of model servers, made up without one: a good server, and one with every trouble there is."""

from __future__ import annotations

import numpy as np

from builders.load import one_worker, simulate
from builders.reports import HOSTILE
from gauntlet.reports.page import render
from gauntlet.reports.views.serving import serving_view
from gauntlet.serving.acceptance.case import Case
from gauntlet.serving.acceptance.conformance import CaseResult, judge_cases
from gauntlet.serving.acceptance.footprint import Footprint, Reading, judge_footprint
from gauntlet.serving.acceptance.gate import GATE, Examination, summarise
from gauntlet.serving.acceptance.latency import (
    Drive,
    judge_latency,
    judge_saturation,
    run_latency,
    run_saturation,
)
from gauntlet.serving.acceptance.parity import Parity, compare, judge_parity
from gauntlet.serving.acceptance.policy import ServingPolicy
from gauntlet.serving.acceptance.sampling import Offline
from gauntlet.serving.arrivals import arrivals
from gauntlet.serving.load_result import LoadResult
from gauntlet.settings import parse
from gauntlet.verdict import Check, Status, Verdict

POLICY = parse(
    ServingPolicy,
    {
        "latency": {"rate": 120, "seconds": 180, "p50_ms": 50, "p99_ms": 150, "p999_ms": 400},
        "saturation": {"min_rate": 300},
        "footprint": {"peak_mb": 400},
    },
    field="policy",
)
_GROUPS = ("accepted", "batch sizes", "wrong values", "missing values", "malformed requests", "limits", "wrong names")


def examination(*, good: bool) -> Examination:
    """What ``examine`` might return.

    Args:
        good: nothing is wrong; otherwise as much as a page has to show.
    """
    latency_policy, search_policy, limits = POLICY.latency, POLICY.saturation, POLICY.footprint
    assert latency_policy is not None
    assert search_policy is not None
    assert limits is not None
    findings = _findings(good)
    parities = tuple(_parity(f"{protocol}: parity with many rows a request", good) for protocol in ("v1", "v2"))
    drive = _drive(service=0.0015, stall=0.0 if good else 0.25)
    latency = run_latency(drive, latency_policy, confidence=0.95, seed=1)
    saturation = run_saturation(drive, search_policy, latency_policy, seed=2)
    footprint = _footprint(leak=0 if good else 3e5, ready=2.4 if good else None)
    digest = "sha256:" + "3f9a" * 16
    identity = Check(
        "the server serves this model", Status.PASS, "It serves 3f9a3f9a3f9a….", code="check_serving.identity"
    )
    checks = (
        identity,
        *judge_cases(findings),
        *(judge_parity(one, tolerance=1e-6, confidence=0.95) for one in parities),
        *judge_latency(latency, latency_policy),
        *judge_footprint(footprint, limits, confidence=0.95),
        judge_saturation(saturation, search_policy, latency_policy),
    )
    verdict = Verdict(GATE, checks, summarise(checks), {"digest": digest})
    return Examination(
        address="http://127.0.0.1:8080",
        model="loans" if good else f"loans {HOSTILE}",
        digest=digest,
        policy=POLICY,
        findings=findings,
        parities=parities,
        latency=latency,
        saturation=saturation,
        footprint=footprint,
        verdict=verdict,
    )


def serving_page(*, good: bool) -> str:
    """The page of such an examination."""
    found = examination(good=good)
    return render("serving.html.j2", title="Serving tests", view=serving_view(found), verdict=found.verdict)


def _findings(good: bool) -> tuple[CaseResult, ...]:
    found = []
    for protocol in ("v1", "v2"):
        for group in _GROUPS:
            for number in range(1 + 7 * len(group) % 11):
                case = Case(f"{protocol}: {group}", f"case {number}", "POST", "/", b"", "refusal")
                wrong = not good and group in ("wrong values", "limits")
                found.append(CaseResult(case, 500 if wrong else 400, "answered 500 in HTML" if wrong else ""))
    return tuple(found)


def _parity(name: str, good: bool) -> Parity:
    rng = np.random.default_rng(4)
    scores = rng.beta(2, 3, 900)
    offline = Offline(tuple(f"application-{i:06d}" for i in range(900)), ({},) * 900, scores, "binary", ("no", "yes"))
    served = scores if good else np.where(rng.random(900) < 0.03, 1 - scores, scores + rng.normal(0, 1e-8, 900))
    return compare(name, offline, served, tolerance=1e-6)


def _drive(service: float, stall: float) -> Drive:
    def run(rate: float, seconds: float, seed: int) -> LoadResult:
        intended = arrivals(rate, seconds, seed=seed)
        worker = one_worker(service, stall=stall, every=5.0)
        return simulate(intended, worker, rate=rate, seconds=seconds, connections=64, timeout=5.0, lag=0.0002)

    return run


def _footprint(leak: float, ready: float | None) -> Footprint:
    rng = np.random.default_rng(5)
    readings = [
        Reading(0.5 * i, 2.4e8 + 2e5 * min(i, 12) + leak * i + float(rng.normal(0, 5e4)), 0.09 * i, 1000.0, ready)
        for i in range(122)
    ]
    return Footprint(tuple(readings), 7200)
