import math
import re
from importlib.resources import files

import pytest

import gauntlet.delivery.counters.prometheus as package
from builders.judging import V1, V2
from gauntlet.delivery.analysis.plan import CustomMetric
from gauntlet.delivery.counters.prometheus.client import Prometheus
from gauntlet.delivery.counters.prometheus.exposition import Sample
from gauntlet.delivery.counters.prometheus.families import FAMILIES
from gauntlet.delivery.counters.prometheus.source import (
    WHAT,
    PrometheusCounters,
    PrometheusPlan,
    family_queries,
    filled,
    quoted,
    regular,
    timestamps,
)
from gauntlet.delivery.rollout.state import begin
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.settings import parse

ROLLOUT = begin("loans", V2, V1, 1000.0)
NOW = 1600.0


@pytest.fixture
def told(monkeypatch):
    """Query (its first word) → samples; whatever is not named has none. Every query must be of one instant."""
    answers = {}

    def instant(self, query, at=None):
        assert at == NOW
        asked.append(query)
        return tuple(answers.get(query.split("{")[0], ()))

    asked = answers.setdefault("asked", [])
    monkeypatch.setattr(Prometheus, "now", lambda self: NOW)
    monkeypatch.setattr(Prometheus, "instant", instant)
    return answers


def counter_source(**values):
    given = {"address": "http://p:9090", "selector": {"namespace": "loans"}, **values}
    return PrometheusCounters(parse(PrometheusPlan, given, field="prometheus"))


def series(name, value, **labels):
    return Sample(name, {"model_version": "1", "pod": "a", **labels}, value)


def requests(value=90.0, **labels):
    return series("gauntlet_requests_total", value, **{"protocol": "v1", "code": "200", **labels})


def test_both_versions_pod_by_pod(told):
    told["gauntlet_requests_total"] = [
        requests(),
        requests(3.0, code="500"),
        requests(40.0, pod="b"),
        requests(7.0, model_version="2", pod="c"),
        requests(9.0, model_version="3", pod="d"),
    ]
    told["gauntlet_request_seconds_bucket"] = [
        series("gauntlet_request_seconds_bucket", 80.0, le="0.1"),
        series("gauntlet_request_seconds_bucket", 93.0, le="+Inf"),
    ]
    told["gauntlet_requests_in_flight"] = [series("gauntlet_requests_in_flight", 2.0)]
    reading = counter_source().read(ROLLOUT)
    assert reading.at == NOW
    assert set(reading.stable) == {"a", "b"}
    assert set(reading.candidate) == {"c"}
    first = reading.stable["a"]
    assert (first.requests, first.errors, first.in_flight) == (93, 3, 2)
    assert first.latency == {0.1: 80, math.inf: 93}
    assert 'gauntlet_requests_total{model_version=~"2|1",namespace="loans"}' in told["asked"]


def test_no_series_are_no_pods(told):
    reading = counter_source().read(ROLLOUT)
    assert (reading.candidate, reading.stable) == ({}, {})


def test_two_jobs_that_scrape_one_pod_are_refused(told):
    told["gauntlet_requests_total"] = [requests(job="x"), requests(job="y")]
    with pytest.raises(DataError, match=r"two series where one was meant; found \['job'\]"):
        counter_source().read(ROLLOUT)


def test_series_that_do_not_name_their_pod_are_refused(told):
    told["gauntlet_requests_total"] = [requests()]
    with pytest.raises(DataError, match="carries no label instance"):
        counter_source(pod_label="instance").read(ROLLOUT)


@pytest.mark.parametrize(("age", "stale"), [(60.0, False), (61.0, True)])
def test_a_value_that_is_not_renewed_is_an_error(told, age, stale):
    told["gauntlet_requests_total"] = [requests()]
    told["timestamp(gauntlet_requests_total"] = [Sample("", {"pod": "a"}, NOW), Sample("", {"pod": "b"}, NOW - age)]
    if stale:
        with pytest.raises(DataError, match="series of b: was last seen 61 s ago; scrapes are 15 s apart"):
            counter_source().read(ROLLOUT)
    else:
        assert counter_source().read(ROLLOUT).stable


def test_knatives_revisions_have_names_of_their_own_and_old_ones_count_milliseconds(told):
    at = {"revision_name": "loans-00001", "pod": "a"}
    name = "revision_app_request_latencies_bucket"
    told["revision_app_request_count"] = [
        Sample("revision_app_request_count", {**at, "response_code": code}, value)
        for code, value in (("200", 8.0), ("503", 2.0))
    ]
    told[name] = [
        Sample(name, {**at, "response_code": code, "le": le}, value)
        for code, le, value in (("200", "5", 6.0), ("200", "+Inf", 8.0), ("503", "5", 0.0), ("503", "+Inf", 2.0))
    ]
    plan = parse(
        PrometheusPlan,
        {"address": "http://p:9090", "selector": {"namespace": "loans"}, "family": "knative_1_18"},
        field="prometheus",
    )
    reading = PrometheusCounters(plan, lambda rollout: ("loans-00002", "loans-00001")).read(ROLLOUT)
    found = reading.stable["a"]
    assert (found.requests, found.errors) == (10, 2)
    assert found.latency == {0.005: 6, math.inf: 10}
    assert reading.candidate == {}


def own(told, samples, query='sum(revenue{version="$candidate"}[$window])'):
    told["sum(revenue"] = samples
    metric = parse(CustomMetric, {"name": "revenue", "query": query, "limit": 1}, field="custom")
    return counter_source().ask(metric, ROLLOUT)


def test_a_teams_own_query(told):
    assert own(told, [Sample("", {}, 2.5)]) == 2.5
    assert told["asked"][-1] == 'sum(revenue{version="2"}[600s])'
    assert own(told, []) is None
    assert own(told, [Sample("", {}, math.nan)]) is None
    with pytest.raises(DataError, match="revenue: gives 2 series where one number was meant"):
        own(told, [Sample("", {"pod": "a"}, 1.0), Sample("", {"pod": "b"}, 1.0)])
    with pytest.raises(ConfigurationError, match="revenue: has a placeholder that is not known"):
        own(told, [], query="sum(revenue{v='$vresion'})")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"selector": {}}, "prometheus.selector"),
        ({"selector": {"a-b": "x"}}, "prometheus.selector"),
        ({"family": "istio"}, "prometheus.family"),
        ({"address": "p"}, "is not the address of a Prometheus"),
    ],
)
def test_what_cannot_be_asked_is_refused(values, message):
    with pytest.raises(ConfigurationError, match=message):
        counter_source(**values)


QUERIES = files(package) / "queries"


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_has_a_file_for_every_series_it_names(name):
    family = FAMILIES[name]
    series = dict(
        zip(WHAT[:-1], (family.requests, family.latency, family.scores, family.sliced, family.in_flight), strict=True)
    )
    queries = family_queries(name, ("7", "8"), {"namespace": "loans"})
    started = queries.pop("started", "")
    assert [series for series in family.started if series not in started] == []
    assert bool(started) == bool(family.started)
    assert queries == {
        what: f'{metric}{{{family.version}=~"7|8",namespace="loans"}}' for what, metric in series.items() if metric
    }


@pytest.mark.parametrize("path", sorted(p.name for f in QUERIES.iterdir() if f.is_dir() for p in f.iterdir()))
def test_every_file_is_one_that_is_read(path):
    assert path.removesuffix(".promql") in WHAT


def test_every_placeholder_is_documented_where_it_is_used():
    for folder in (one for one in QUERIES.iterdir() if one.is_dir()):
        head = (folder / "requests.promql").read_text()
        for name in re.findall(r"\$(\w+)", head):
            assert re.search(rf"^# \${name}\s", head, re.MULTILINE)
        for one in folder.iterdir():
            assert "Placeholders as in requests.promql." in one.read_text() or one.name == "requests.promql"


def test_what_a_label_says_stays_text():
    hostile = 'a"} or vector(1) #\\ \n.*'
    assert quoted(hostile) == '"a\\"} or vector(1) #\\\\ \\n.*"'
    (query, *_) = family_queries("server", ("1.0|.*",), {"model_name": hostile}).values()
    assert (
        query == 'gauntlet_requests_total{model_version=~"1\\\\.0\\\\|\\\\.\\\\*",model_name=' + quoted(hostile) + "}"
    )
    assert regular("loans-00002") == "loans\\\\-00002"


def test_the_time_of_a_querys_samples():
    assert timestamps("up{job='x'}") == "timestamp(up{job='x'})"


@pytest.mark.parametrize("text", ["sum(x{v='$version'})", "x{v=~'7$'}"])
def test_a_placeholder_that_nobody_knows_is_refused(text):
    with pytest.raises(
        ConfigurationError, match=r"revenue: has a placeholder that is not known.*Use \$candidate, and \$\$"
    ):
        filled(text, {"candidate": "8"}, field="revenue")


def test_a_dollar_is_written_twice():
    assert filled("# a comment\nx{v=~'7$$'}", {}, field="revenue") == "x{v=~'7$'}"
