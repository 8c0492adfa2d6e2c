"""Latency and saturation against simulated servers: no network, no clock."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from builders.load import one_worker, simulate
from gauntlet.serving.acceptance.latency import (
    Drive,
    judge_latency,
    judge_saturation,
    run_latency,
    run_saturation,
)
from gauntlet.serving.acceptance.policy import LatencyLimits, SaturationPolicy
from gauntlet.serving.arrivals import arrivals
from gauntlet.serving.dispatch import Dispatch
from gauntlet.serving.load_result import LoadResult
from gauntlet.settings import parse
from gauntlet.verdict import Check, Status


def limits(**values: Any) -> LatencyLimits:
    return parse(LatencyLimits, {"rate": 100, "seconds": 60} | values, field="policy.latency")


def drive(
    service: float = 0.002, stall: float = 0.0, lag: float = 0.0, connections: int = 64, timeout: float = 5.0
) -> Drive:
    def run(rate: float, seconds: float, seed: int) -> LoadResult:
        intended = arrivals(rate, seconds, seed=seed)
        serve = one_worker(service, stall=stall)
        return simulate(intended, serve, rate=rate, seconds=seconds, connections=connections, timeout=timeout, lag=lag)

    return run


def checks(run: Drive, asked: LatencyLimits) -> dict[str, Check]:
    found = run_latency(run, asked, confidence=0.95, seed=0)
    return {check.name: check for check in judge_latency(found, asked)}


def test_a_fast_server_passes_every_limit_it_can_be_held_to() -> None:
    found = checks(drive(), limits(seconds=120, p50_ms=20, p95_ms=50, p99_ms=100, p999_ms=250))
    assert {check.status for check in found.values()} == {Status.PASS}
    assert list(found) == [
        *(f"latency {name} (ms)" for name in ("p50", "p95", "p99", "p99.9")),
        "failed requests under load",
    ]
    assert found["latency p99 (ms)"].sample_size == 12_000


def test_a_stalling_server_fails_at_the_tail_and_not_at_the_median() -> None:
    found = checks(drive(stall=0.3), limits(p50_ms=20, p99_ms=100))
    assert found["latency p50 (ms)"].status is Status.PASS
    check = found["latency p99 (ms)"]
    assert check.status is Status.FAIL
    # A rest of 0.3 s every 2 s: p99 = 0.3 · (1 − 0.01 · 2 / 0.3) s = 280 ms.
    assert check.measured == pytest.approx(280, rel=0.1)


def test_a_limit_within_the_interval_is_inconclusive_and_says_how_many_requests_would_tell() -> None:
    value = checks(drive(stall=0.3), limits(p99_ms=1000))["latency p99 (ms)"].measured
    check = checks(drive(stall=0.3), limits(p99_ms=value))["latency p99 (ms)"]
    assert check.status is Status.INCONCLUSIVE
    assert check.rows_needed is not None
    assert check.rows_needed > 6000


def test_p999_of_few_requests_is_inconclusive_however_fast() -> None:
    check = checks(drive(), limits(seconds=5, p99_ms=None, p999_ms=1000))["latency p99.9 (ms)"]
    assert check.status is Status.INCONCLUSIVE
    assert check.rows_needed is not None
    assert check.rows_needed >= 4000


def test_failures_are_held_against_their_share() -> None:
    found = checks(failing(every=20), limits())
    check = found["failed requests under load"]
    assert (check.status, check.measured) == (Status.FAIL, pytest.approx(0.05))
    assert "300 of 6,000" in check.reason
    assert "300 status 500" in check.reason
    assert checks(failing(every=700), limits(seconds=20))["failed requests under load"].status is Status.INCONCLUSIVE


def test_answers_of_500_are_failures_however_late_the_generator_was() -> None:
    found = checks(failing(every=20, lag=0.02), limits(seconds=20, p99_ms=10))
    assert found["latency p99 (ms)"].status is Status.ERROR
    assert found["failed requests under load"].status is Status.FAIL


def failing(every: int, lag: float = 0.0) -> Drive:
    """Answers at once, each so manieth with 500."""

    def run(rate: float, seconds: float, seed: int) -> LoadResult:
        intended = arrivals(rate, seconds, seed=seed)
        dispatch = Dispatch(intended, connections=1, timeout=5)
        dispatch.opened(0, 0.0)
        for number, start in enumerate(intended):
            dispatch.fire(float(start) + lag)
            dispatch.answered(0, 500 if number % every == 7 else 200, float(start) + lag + 1e-4)
            dispatch.opened(0, float(start) + lag + 1e-4)
        return dispatch.result(rate=rate, seconds=seconds)

    return run


def test_a_late_generator_fails_nobody_and_what_passes_in_spite_of_it_passes() -> None:
    good = checks(drive(lag=0.02), limits(p99_ms=1000))
    assert good["latency p99 (ms)"].status is Status.PASS
    assert "20.0 ms late at p99, which is part of it" in good["latency p99 (ms)"].reason
    bad = checks(drive(lag=0.02, stall=0.5), limits(p99_ms=100))
    assert bad["latency p99 (ms)"].status is Status.ERROR
    assert "late at p99" in bad["latency p99 (ms)"].reason


def test_a_rate_that_the_server_could_not_take_fails_and_never_passes() -> None:
    """Twice the work it can do, on two connections: the rate is not kept, and that is the server's doing."""
    found = checks(drive(service=0.02, connections=2, timeout=1), limits(seconds=20, p50_ms=20, p99_ms=60_000))
    assert found["latency p50 (ms)"].status is Status.FAIL
    assert "rate was not kept" in found["latency p50 (ms)"].reason
    assert found["latency p99 (ms)"].status is Status.ERROR  # within the limit, by its time-out; but of another load
    assert found["failed requests under load"].status is Status.FAIL


def test_an_invalid_run_is_made_again_with_other_arrivals() -> None:
    seeds = []

    def run(rate: float, seconds: float, seed: int) -> LoadResult:
        seeds.append(seed)
        return drive(lag=0.02 if len(seeds) == 1 else 0.0)(rate, seconds, seed)

    found = run_latency(run, limits(attempts=3), confidence=0.95, seed=5)
    assert (seeds, found.attempts) == ([5, 6], 2)
    assert {check.status for check in judge_latency(found, limits())} == {Status.PASS}


def test_limits_share_the_confidence() -> None:
    one = run_latency(drive(), limits(), confidence=0.95, seed=0)
    four = run_latency(drive(), limits(p50_ms=10, p95_ms=20, p999_ms=40), confidence=0.95, seed=0)
    assert one.confidence == pytest.approx(0.975)
    assert four.confidence == pytest.approx(0.99)


# -- saturation ------------------------------------------------------------------------------------------------------


def search(run: Drive, latency: LatencyLimits | None = None, **policy: Any) -> Check:
    asked = parse(SaturationPolicy, {"trial_seconds": 5} | policy, field="policy.saturation")
    latency = latency or limits(p99_ms=100)
    return judge_saturation(run_saturation(run, asked, latency, seed=0), asked, latency)


def test_the_highest_rate_of_a_server_is_found() -> None:
    check = search(drive(service=0.002))  # 500 requests/s is all it can do
    assert check.status is Status.PASS
    assert check.measured is not None
    assert 400 < check.measured < 500
    assert check.interval is not None
    assert check.interval[1] < 1.1 * check.interval[0] + 1


def test_less_than_asked_fails() -> None:
    check = search(drive(service=0.002), min_rate=800)
    assert check.status is Status.FAIL
    assert "requests/s were not." in check.reason


def test_a_bound_within_the_bracket_is_inconclusive() -> None:
    found = search(drive(service=0.002))
    assert found.interval is not None
    assert search(drive(service=0.002), min_rate=sum(found.interval) / 2).status is Status.INCONCLUSIVE


def test_a_server_that_keeps_everything_tried_passes_up_to_there() -> None:
    check = search(drive(service=1e-5), highest=400)
    assert (check.status, check.measured) == (Status.PASS, 400)
    assert "nothing higher was tried" in check.reason
    assert search(drive(service=1e-5), highest=400, min_rate=500).status is Status.INCONCLUSIVE


def test_a_generator_that_broke_first_is_no_failure_of_the_server() -> None:
    def run(rate: float, seconds: float, seed: int) -> LoadResult:
        return drive(service=1e-5, lag=0.2 if rate > 150 else 0.02)(rate, seconds, seed)

    assert search(run, min_rate=100).status is Status.PASS  # late by less than the limit: kept in spite of it
    check = search(run, min_rate=1000)
    assert check.status is Status.ERROR
    assert "generator itself was the limit" in check.reason


def test_the_search_ends_when_its_time_is_up_and_says_only_what_it_knows() -> None:
    check = search(drive(service=0.002), budget_seconds=10, min_rate=450)  # two runs: 100 and 200 requests/s
    assert (check.status, check.interval) == (Status.INCONCLUSIVE, (200.0, np.inf))
    once = search(drive(service=0.2), budget_seconds=5)
    assert once.status is Status.INCONCLUSIVE  # broken once, and a second attempt would have been due


def test_no_rate_kept_is_a_failure() -> None:
    def run(rate: float, seconds: float, seed: int) -> LoadResult:
        return drive(service=10.0, timeout=0.5)(rate, seconds, seed)

    check = search(run)
    assert (check.status, check.measured) == (Status.FAIL, 0.0)
    assert "No rate was kept" in check.reason
