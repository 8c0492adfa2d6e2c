"""The meter on a real Prometheus that scrapes real pages every second."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from builders.judging import V1, V2, plan, ramping
from builders.prometheus import Running, page, wait_for
from gauntlet.delivery.analysis.increments import SAME_START, increments
from gauntlet.delivery.analysis.judge import CounterJudge
from gauntlet.delivery.analysis.plan import CustomMetric
from gauntlet.delivery.counters.prometheus.client import Prometheus
from gauntlet.delivery.counters.prometheus.exposition import parse_exposition
from gauntlet.delivery.counters.prometheus.families import SERVER, counters
from gauntlet.delivery.counters.prometheus.source import PrometheusCounters, PrometheusPlan
from gauntlet.delivery.counters.source import Counters
from gauntlet.delivery.rollout.plan import RolloutPlan
from gauntlet.delivery.rollout.state import begin
from gauntlet.errors import ConfigurationError, DataError, DependencyError
from gauntlet.serving.answer import Answer
from gauntlet.serving.contract import Rows
from gauntlet.serving.metrics import Metrics
from gauntlet.serving.score_counts import ScoreCounts
from gauntlet.serving.service import Reply
from gauntlet.settings import parse
from gauntlet.verdict import Status

ROLLOUT = begin("loans", V2, V1, 0.0)


class Server:
    """What a model server counts, without the server."""

    def __init__(self, version: str) -> None:
        self.registry = CollectorRegistry()
        self.scores = ScoreCounts([0.25, 0.5, 0.75], {"region": ["north", "south"]})
        self.metrics = Metrics("loans", version, f"sha256:{version}", self.scores, self.registry)
        self.version = version

    def answer(self, requests: int, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        for score, seconds, failed in zip(
            rng.random(requests), rng.exponential(0.05, requests), rng.random(requests) < 0.1, strict=True
        ):
            self.metrics.record("v1" if score < 0.5 else "v2", Reply(500 if failed else 200, b"", 1), seconds)
            self.scores.add(Rows({"region": ["north"]}, 1), Answer(("prediction",), (np.array([score]),), "column"))

    @property
    def started(self) -> float | None:
        """When it says that it began to count."""
        return self.registry.get_sample_value(
            "gauntlet_start_time_seconds", {"model_name": "loans", "model_version": self.version}
        )

    def page(self) -> bytes:
        return generate_latest(self.registry)

    def counters(self) -> Counters:
        """What its page says just now."""
        return counters(parse_exposition(self.page().decode(), prefix="gauntlet_"), SERVER)[self.version, ""]


def counter_source(watching: Running, **values: Any) -> PrometheusCounters:
    given = {"address": watching.address, "selector": {"model_name": "loans"}, "scrape_seconds": 1, **values}
    return PrometheusCounters(parse(PrometheusPlan, given, field="prometheus"))


def test_counters_are_those_of_the_servers(watching: Running) -> None:
    one, two, new = Server("1"), Server("1"), Server("2")
    for seed, server in enumerate((one, two, new)):
        server.answer(300, seed)
    new.metrics.in_flight.set(3)
    with page(one.page) as a, page(two.page) as b, page(new.page) as c:
        watching.scrape({"a": a, "b": b, "c": c}, namespace="loans")
        reading = wait_for(
            lambda: (found := counter_source(watching).read(ROLLOUT)).candidate and len(found.stable) == 2 and found
        )
        assert reading.stable == {"a": one.counters(), "b": two.counters()}
        assert reading.candidate == {"c": new.counters()}
        assert reading.candidate["c"].in_flight == 3
        assert set(reading.candidate["c"].sliced) >= {"region=north", "region=south"}
        new.answer(50, 9)
        wait_for(lambda: counter_source(watching).read(ROLLOUT).candidate == {"c": new.counters()})


@pytest.mark.parametrize("answered", [30, 130], ids=["fewer", "more"])
def test_a_server_that_was_started_again_counts_from_zero(watching: Running, answered: int) -> None:
    """Also where it has answered more by the next reading than the process before it ever did."""
    server = Server("2")
    server.answer(100)
    with page(lambda: server.page()) as port:
        watching.scrape({"c": port})
        before = wait_for(lambda: counter_source(watching).read(ROLLOUT).candidate)
        assert before["c"].started == server.started
        since = time.time()
        time.sleep(2 * SAME_START)
        server = Server("2")
        server.answer(answered, 1)
        after = wait_for(
            lambda: (found := counter_source(watching).read(ROLLOUT).candidate)["c"].requests == answered and found
        )
    assert increments(before, after, since=since)["c"] == replace(server.counters(), started=None)


def test_a_server_without_a_gauge_of_its_start_tells_by_its_series(watching: Running) -> None:
    """Servers of earlier releases: the client library tells when each series was created."""
    server = Server("2")
    gauge = "gauntlet_start_time_seconds"
    bare = b"\n".join(line for line in server.page().splitlines() if gauge.encode() not in line) + b"\n"
    with page(lambda: bare) as port:
        watching.scrape({"c": port})
        found = wait_for(lambda: counter_source(watching).read(ROLLOUT).candidate)
    assert found["c"].started == pytest.approx(server.started, abs=5)


def test_a_pod_that_is_gone_is_no_pod(watching: Running) -> None:
    one, two = Server("1"), Server("1")
    with page(one.page) as a, page(two.page) as b:
        watching.scrape({"a": a, "b": b})
        wait_for(lambda: set(counter_source(watching).read(ROLLOUT).stable) == {"a", "b"})
        watching.scrape({"a": a})
        wait_for(lambda: set(counter_source(watching).read(ROLLOUT).stable) == {"a"})
    wait_for(
        lambda: not counter_source(watching).read(ROLLOUT).stable
    )  # it answers no more: Prometheus marks it as stale


def test_nothing_is_scraped_yet(watching: Running) -> None:
    reading = counter_source(watching).read(ROLLOUT)
    assert (reading.candidate, reading.stable) == ({}, {})


def test_two_jobs_on_one_pod_are_refused(watching: Running) -> None:
    server = Server("1")
    with page(server.page) as port:
        watching.scrape({"a": port}, again=True)

        def refused() -> str:
            try:
                return counter_source(watching).read(ROLLOUT) and ""
            except DataError as error:
                return str(error)

        assert "two series where one was meant" in wait_for(refused)
        watching.scrape({"a": port})
        wait_for(lambda: not refused())


def test_values_that_are_not_renewed_are_an_error(watching: Running) -> None:
    """Scraped every second, read as if twenty times as often: what a Prometheus that lags looks like."""
    server = Server("1")
    with page(server.page) as port:
        watching.scrape({"a": port})
        wait_for(lambda: counter_source(watching).read(ROLLOUT).stable)

        def stale() -> str:
            try:
                return counter_source(watching, scrape_seconds=0.001, stale_scrapes=1).read(ROLLOUT) and ""
            except DataError as error:
                return str(error)

        assert "was last seen" in wait_for(stale)


def test_one_that_is_down_is_a_dependency(watching: Running) -> None:
    down = counter_source(watching, address="http://127.0.0.1:9", timeout_seconds=1)
    with pytest.raises(DependencyError, match="gives no answer of a Prometheus") as raised:
        down.read(ROLLOUT)
    assert raised.value.retryable


def test_a_teams_own_query_and_one_that_is_none(watching: Running) -> None:
    def ask(query: str) -> float | None:
        metric = parse(CustomMetric, {"name": "rows", "query": query, "limit": 1}, field="custom")
        return counter_source(watching).ask(metric, ROLLOUT)

    server = Server("2")
    server.answer(40)
    with page(server.page) as port:
        watching.scrape({"c": port})
        assert wait_for(lambda: ask('sum(gauntlet_rows_total{model_version="$candidate"})')) == 40
        assert ask('sum(gauntlet_rows_total{model_version="$stable"})') is None
        assert ask("sum(gauntlet_rows_total) * 0 / 0") is None
        with pytest.raises(DataError, match="where one number was meant"):
            ask("gauntlet_requests_total")
        with pytest.raises(ConfigurationError, match="is not understood"):
            ask("sum(")
        with pytest.raises(DataError, match="gives a matrix"):
            ask("gauntlet_rows_total[$window]")


KNATIVE = """
kn_serving_invocation_duration_seconds_bucket{http_response_status_code="200",le="0.1"} 60
kn_serving_invocation_duration_seconds_bucket{http_response_status_code="200",le="+Inf"} 70
kn_serving_invocation_duration_seconds_count{http_response_status_code="200"} 70
kn_serving_invocation_duration_seconds_bucket{http_response_status_code="503",le="0.1"} 1
kn_serving_invocation_duration_seconds_bucket{http_response_status_code="503",le="+Inf"} 2
kn_serving_invocation_duration_seconds_count{http_response_status_code="503"} 2
revision_app_request_count{response_code="200",response_code_class="2xx"} 70
revision_app_request_count{response_code="503",response_code_class="5xx"} 2
revision_app_request_latencies_bucket{response_code="200",response_code_class="2xx",le="100"} 60
revision_app_request_latencies_bucket{response_code="200",response_code_class="2xx",le="+Inf"} 70
revision_app_request_latencies_bucket{response_code="503",response_code_class="5xx",le="100"} 1
revision_app_request_latencies_bucket{response_code="503",response_code_class="5xx",le="+Inf"} 2
"""


@pytest.mark.parametrize(("family", "started"), [("knative", 1.7e9 + 0.25), ("knative_1_18", None)])
def test_knatives_queue_proxy_old_and_new(watching: Running, family: str, started: float | None) -> None:
    """The proxy's start is told by 1.19 alone; that of the container beside it is another's."""
    values = {"address": watching.address, "selector": {"namespace": "loans"}, "family": family}
    asked = PrometheusCounters(
        parse(PrometheusPlan, values, field="prometheus"),
        lambda rollout: ("loans-predictor-00002", "loans-predictor-00001"),
    )
    start = "process_start_time_seconds {}\n"
    proxy, container = KNATIVE + (start.format(1.7e9 + 0.25) if started else ""), start.format(1.7e9 - 900)
    with page(proxy.encode) as port, page(container.encode) as other:
        labels = {"namespace": "loans", "revision_name": "loans-predictor-00002"}
        watching.scrape({"x": port}, beside={"x": other}, **labels)
        watched = f'count(process_start_time_seconds{{namespace="loans"}}) == {2 if started else 1}'
        wait_for(lambda: Prometheus(watching.address).instant(watched))
        found = wait_for(lambda: asked.read(ROLLOUT).candidate)
    assert found == {"x": Counters(72, 2, {0.1: 61, float("inf"): 72}, started=started)}


def test_a_rollout_is_judged_through_prometheus(watching: Running) -> None:
    """The candidate fails three requests in ten, and that is found between scrapes."""
    stable, candidate = Server("1"), Server("2")
    judge = CounterJudge(counter_source(watching), plan(metrics=["errors"]), RolloutPlan())
    with page(stable.page) as a, page(candidate.page) as c:
        watching.scrape({"a": a, "c": c})
        wait_for(
            lambda: counter_source(watching).read(ROLLOUT).candidate and counter_source(watching).read(ROLLOUT).stable
        )
        _, memory = judge.assess(ROLLOUT, "", 0.0)
        stable.answer(600)
        seen(watching, stable, candidate)
        said, memory = judge.assess(ROLLOUT, memory, 60.0)
        assert said.baseline
        _, memory = judge.assess(ramping(0, 10, 60.0), memory, 61.0)
        stable.answer(900, 2)
        for _ in range(100):
            candidate.metrics.record("v1", Reply(500, b"", 0), 0.01)
        candidate.answer(200, 3)
        seen(watching, stable, candidate)
        said, memory = judge.assess(ramping(0, 10, 60.0), memory, 120.0)
    assert said.analysis.status is Status.FAIL
    assert said.analysis.answered == (300, 1500)


def seen(watching: Running, stable: Server, candidate: Server) -> None:
    """Wait until Prometheus has all that was counted."""
    wait_for(
        lambda: (
            (found := counter_source(watching).read(ROLLOUT)).stable == {"a": stable.counters()}
            and found.candidate == {"c": candidate.counters()}
        )
    )
