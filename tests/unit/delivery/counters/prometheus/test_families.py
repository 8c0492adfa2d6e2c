import math

import pytest

from gauntlet.delivery.counters.prometheus.exposition import Sample, parse_exposition
from gauntlet.delivery.counters.prometheus.families import FAMILIES, ROUTER, SERVER, Family, counters
from gauntlet.errors import DataError

PAGE = """
gauntlet_requests_total{model_name="loans",model_version="7",protocol="v1",code="200"} 90
gauntlet_requests_total{model_name="loans",model_version="7",protocol="v2",code="200"} 5
gauntlet_requests_total{model_name="loans",model_version="7",protocol="v1",code="400"} 3
gauntlet_requests_total{model_name="loans",model_version="7",protocol="v1",code="500"} 2
gauntlet_request_seconds_bucket{model_version="7",protocol="v1",le="0.1"} 80
gauntlet_request_seconds_bucket{model_version="7",protocol="v1",le="+Inf"} 95
gauntlet_request_seconds_bucket{model_version="7",protocol="v2",le="0.1"} 1
gauntlet_request_seconds_bucket{model_version="7",protocol="v2",le="+Inf"} 5
gauntlet_scores_bucket{model_version="7",le="0.5"} 60
gauntlet_scores_bucket{model_version="7",le="+Inf"} 95
gauntlet_slice_scores_bucket{model_version="7",slice="sex=Female",le="0.5"} 20
gauntlet_slice_scores_bucket{model_version="7",slice="sex=Female",le="+Inf"} 30
gauntlet_requests_in_flight{model_version="7"} 4
process_cpu_seconds_total 17.5
"""


def read(page, family=SERVER):
    return counters(parse_exposition(page), family)


def test_a_servers_page_as_counters():
    ((where, found),) = read(PAGE).items()
    assert where == ("7", "")
    assert (found.requests, found.errors, found.in_flight) == (100, 2, 4)
    assert found.latency == {0.1: 81, math.inf: 100}
    assert found.scores == {0.5: 60, math.inf: 95}
    assert found.sliced == {"sex=Female": {0.5: 20, math.inf: 30}}


def test_a_router_tells_versions_apart_and_counts_what_had_no_answer():
    page = "".join(
        f'gauntlet_router_requests_total{{version="{version}",code="{code}"}} {value}\n'
        for version, code, value in [("1", 200, 70), ("1", 504, 1), ("2", 200, 8), ("2", 502, 2), ("2", 0, 1)]
    )
    found = read(page, ROUTER)
    assert {version: (one.requests, one.errors) for (version, _), one in found.items()} == {"1": (71, 1), "2": (11, 3)}


def test_pods_are_kept_apart_where_a_label_names_them():
    family = Family(version="revision", requests="n_total", pod="pod")
    samples = [Sample("n_total", {"revision": "r1", "pod": pod, "code": "200"}, 5) for pod in "ab"]
    assert set(counters(samples, family)) == {("r1", "a"), ("r1", "b")}


def test_a_version_without_requests_is_left_out():
    assert read('gauntlet_requests_in_flight{model_version="7"} 4\n') == {}


def started(*lines, family=SERVER):
    return read(PAGE + "".join(f"{line}\n" for line in lines), family)["7", ""].started


def test_when_a_server_began_to_count():
    assert started() is None
    gauge = 'gauntlet_start_time_seconds{model_version="7"} 1.7e9'
    created = [
        f'gauntlet_requests_created{{model_version="7",code="{code}"}} {at}' for code, at in ((200, 5), (500, 9))
    ]
    assert started(gauge) == started(gauge, *created) == 1.7e9
    assert started(*created) == 5, "the first series came with the process; others may come later"
    assert started('gauntlet_start_time_seconds{model_version="8"} 1.7e9') is None


@pytest.mark.parametrize("value", ["NaN", "+Inf"])
def test_a_start_that_is_none_is_not_told(value):
    assert started(f'gauntlet_start_time_seconds{{model_version="7"}} {value}') is None


def test_two_processes_that_claim_to_be_one_pod_tell_nothing():
    family = FAMILIES["knative"]
    pages = [
        'kn_serving_invocation_duration_seconds_count{revision_name="7",http_response_status_code="200"} 3',
        'process_start_time_seconds{revision_name="7",container="queue-proxy"} 100',
        'process_start_time_seconds{revision_name="7",container="kserve-container"} 200',
    ]
    assert started(*pages[:2], family=family) == 100
    assert started(*pages, family=family) is None


@pytest.mark.parametrize("changed", [{"job": "again"}, {"instance": "10.0.0.8:8080"}])
def test_two_series_where_one_was_meant_are_refused_and_told_apart(changed):
    samples = parse_exposition(PAGE)
    (name,) = changed
    twin = Sample(samples[0].name, {**samples[0].labels, **changed}, 90)
    with pytest.raises(DataError, match=rf"two series where one was meant.*{name}"):
        counters([*samples, twin], SERVER)


def test_one_boundary_written_in_two_ways_is_two_series():
    page = PAGE + 'gauntlet_scores_bucket{model_version="7",le="0.50"} 60\n'
    with pytest.raises(DataError, match="two series"):
        read(page)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('gauntlet_requests_total{model_version="8",code="200"} -1', "whole number"),
        ('gauntlet_requests_total{model_version="8",code="200"} 1.5', "whole number"),
        ('gauntlet_requests_total{model_version="8",code="200"} NaN', "whole number"),
        ('gauntlet_scores_bucket{model_version="7"} 3', "is no bucket"),
        ('gauntlet_scores_bucket{model_version="7",le="x"} 3', "is no bucket"),
        ('gauntlet_scores_bucket{model_version="7",le="0.7"} 3', "is below the bucket before it"),
    ],
)
def test_what_cannot_be_counters_is_refused(line, message):
    with pytest.raises(DataError, match=message):
        read(PAGE + line + "\n")
