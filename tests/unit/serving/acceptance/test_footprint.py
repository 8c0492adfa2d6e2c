"""Memory, processor and cold start, from pages of metrics that show each trouble."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from builders.staging import fake_server, healthy, stage
from gauntlet.serving.acceptance.address import parse_address
from gauntlet.serving.acceptance.client import Client
from gauntlet.serving.acceptance.footprint import (
    Footprint,
    Reading,
    judge_footprint,
    parse_metrics,
    sampling_metrics,
    served_digest,
)
from gauntlet.serving.acceptance.policy import FootprintPolicy
from gauntlet.settings import parse
from gauntlet.verdict import Check, Status

EVERYTHING = {
    "peak_mb": 500,
    "growth_bytes_per_request": 100,
    "cpu_ms_per_request": 5,
    "cores": 0.9,
    "cold_start_seconds": 10,
}
NAMES = [
    "peak memory (MB)",
    "memory growth (bytes/request)",
    "processor time (ms/request)",
    "processors busy",
    "cold start (s)",
]


def readings(memory: Any = 2e8, cpu_per_second: float = 0.2, ready: float | None = 2.0, n: int = 60) -> list[Reading]:
    """A look a second; ``memory`` a number or a function of seconds."""
    resident = memory if callable(memory) else lambda at: memory
    return [Reading(float(at), resident(at), cpu_per_second * at, 1000.0, ready) for at in range(n)]


def judge(seen: list[Reading], requests: int = 5900, **policy: Any) -> dict[str, Check]:
    asked = parse(FootprintPolicy, EVERYTHING | policy, field="policy.footprint")
    found = judge_footprint(Footprint(tuple(seen), requests), asked, confidence=0.95)
    return {check.name: check for check in found}


def test_a_modest_server_passes_everything() -> None:
    found = judge(readings())
    assert list(found) == NAMES
    assert {check.status for check in found.values()} == {Status.PASS}
    assert found["peak memory (MB)"].measured == 200
    assert found["processor time (ms/request)"].measured == pytest.approx(2.0)
    assert found["processors busy"].measured == pytest.approx(0.2)
    assert found["cold start (s)"].measured == 2.0


@pytest.mark.parametrize(
    ("seen", "name"),
    [
        (readings(memory=lambda at: 6e8 if at == 30 else 2e8), "peak memory (MB)"),
        (readings(memory=lambda at: 2e8 + 100_000 * at), "memory growth (bytes/request)"),
        (readings(cpu_per_second=0.6), "processor time (ms/request)"),
        (readings(ready=11.0), "cold start (s)"),
    ],
)
def test_each_limit_is_broken_alone(seen: list[Reading], name: str) -> None:
    found = judge(seen)
    assert [check.name for check in found.values() if check.status is Status.FAIL] == [name]


def test_processors_are_those_busy_on_average() -> None:
    found = judge(readings(cpu_per_second=1.5), requests=10**6)
    assert found["processors busy"].status is Status.FAIL
    assert found["processors busy"].measured == pytest.approx(1.5)


def test_growth_is_a_thousand_bytes_where_each_request_keeps_a_thousand() -> None:
    check = judge(readings(memory=lambda at: 2e8 + 100_000 * at))["memory growth (bytes/request)"]
    assert check.measured == pytest.approx(1000)  # 100 requests a second


def test_warming_up_is_no_leak() -> None:
    check = judge(readings(memory=lambda at: 2e8 + 1e6 * min(at, 15)))["memory growth (bytes/request)"]
    assert (check.status, check.measured) == (Status.PASS, 0.0)


def test_one_jump_is_no_leak_but_noise_may_hide_one() -> None:
    jump = judge(readings(memory=lambda at: 2e8 + (5e6 if at > 55 else 0)))["memory growth (bytes/request)"]
    assert jump.status is Status.PASS
    noise = np.random.default_rng(0).normal(scale=3e6, size=60)
    check = judge(readings(memory=lambda at: 2e8 + noise[at]))["memory growth (bytes/request)"]
    assert check.status is Status.INCONCLUSIVE


def test_few_looks_tell_no_slope() -> None:
    check = judge(readings(n=8))["memory growth (bytes/request)"]
    assert check.status is Status.INCONCLUSIVE
    assert "too few" in check.reason


def test_absent_series_are_errors_and_those_not_asked_for_are_not_missed() -> None:
    bare = [replace(reading, memory=None, cpu=None, ready=None) for reading in readings()]
    found = judge(bare)
    assert {check.status for check in found.values()} == {Status.ERROR}
    assert "gauntlet_ready_seconds" in found["cold start (s)"].reason
    assert judge(bare, **dict.fromkeys(EVERYTHING)) == {}
    assert list(judge(readings(), **dict.fromkeys(EVERYTHING) | {"cores": 2})) == ["processors busy"]


def test_a_process_that_was_started_anew_says_nothing() -> None:
    seen = readings()
    found = judge([*seen[:30], *(replace(reading, started=2000.0) for reading in seen[30:])])
    assert {check.status for check in found.values()} == {Status.ERROR}
    assert "started anew" in found["peak memory (MB)"].reason


def test_a_server_without_metrics_is_an_error_for_all() -> None:
    found = judge([])
    assert list(found) == NAMES
    assert {check.status for check in found.values()} == {Status.ERROR}


def test_no_request_answered_is_no_time_for_each() -> None:
    assert judge(readings(), requests=0)["processor time (ms/request)"].status is Status.ERROR


def test_a_page_of_prometheus_is_read() -> None:
    reading = parse_metrics(healthy("sha256:d", memory=2.5e8, cpu=12.5, started=17.0, ready=3.5), 4.0)
    assert reading == Reading(4.0, 2.5e8, 12.5, 17.0, 3.5)
    assert parse_metrics("# HELP process_cpu_seconds_total 3\nother 1\n", 0.0) == Reading(0.0, None, None, None, None)
    twice = 'gauntlet_ready_seconds{model_name="a"} 1\ngauntlet_ready_seconds{model_name="b"} 2\n'
    assert parse_metrics(twice, 0.0).ready is None
    assert parse_metrics(twice + twice, 0.0).ready is None


def test_the_digest_served_is_told_or_not() -> None:
    assert served_digest(healthy("sha256:d")) == "sha256:d"
    assert served_digest(healthy("sha256:d") + healthy("sha256:e")) is None
    assert served_digest("nothing") is None


def test_it_looks_before_during_and_after(tmp_path: Path) -> None:
    staged = stage(tmp_path)
    with fake_server(staged, metrics=lambda turn: healthy(staged.digest, memory=turn)) as server:
        where = parse_address(server.url, allow_remote=False)
        with sampling_metrics(lambda: Client(where, timeout=30), 0.1) as seen:
            while len(seen.parsed) < 4:
                time.sleep(0.02)
    assert len(seen.parsed) >= 5
    assert [reading.memory for reading in seen.parsed] == list(range(1, len(seen.parsed) + 1))
    assert seen.failures == 0


def test_looks_that_fail_are_counted(tmp_path: Path) -> None:
    staged = stage(tmp_path)
    with fake_server(staged, lambda asked, right: (404, "text/plain", b"")) as server:
        where = parse_address(server.url, allow_remote=False)
        with sampling_metrics(lambda: Client(where, timeout=30), 10) as seen:
            pass
    assert (seen.parsed, seen.failures) == ((), 2)
