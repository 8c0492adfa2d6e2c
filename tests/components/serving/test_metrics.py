import time

import numpy as np
import pytest
from prometheus_client import CollectorRegistry

from gauntlet.serving.answer import Answer
from gauntlet.serving.contract import Rows
from gauntlet.serving.metrics import CODES, PROTOCOLS, Metrics
from gauntlet.serving.score_counts import ScoreCounts
from gauntlet.serving.service import Reply

MODEL = {"model_name": "loans", "model_version": "7"}


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_every_series_is_there_at_zero_before_the_first_request(registry: CollectorRegistry) -> None:
    Metrics("loans", "7", "sha256:d", registry=registry)
    for protocol in PROTOCOLS:
        for code in CODES:
            labels = MODEL | {"protocol": protocol, "code": str(code)}
            assert registry.get_sample_value("gauntlet_requests_total", labels) == 0
        for fault in ("caller", "server"):
            labels = MODEL | {"protocol": protocol, "fault": fault}
            assert registry.get_sample_value("gauntlet_request_errors_total", labels) == 0


def test_a_new_process_is_told_from_the_one_before_it_by_its_start(registry: CollectorRegistry) -> None:
    before = time.time()
    Metrics("loans", "7", "sha256:d", registry=registry)
    assert before <= (registry.get_sample_value("gauntlet_start_time_seconds", MODEL) or 0) <= time.time()


@pytest.mark.parametrize(
    ("status", "rows", "caller", "server"), [(200, 3, 0, 0), (400, 0, 1, 0), (413, 0, 1, 0), (500, 0, 0, 1)]
)
def test_whose_fault_an_unanswered_request_is(
    registry: CollectorRegistry, status: int, rows: int, caller: int, server: int
) -> None:
    Metrics("loans", "7", "sha256:d", registry=registry).record("v1", Reply(status, b"", rows), 0.004)
    v1 = MODEL | {"protocol": "v1"}
    assert registry.get_sample_value("gauntlet_requests_total", v1 | {"code": str(status)}) == 1
    assert registry.get_sample_value("gauntlet_request_errors_total", v1 | {"fault": "caller"}) == caller
    assert registry.get_sample_value("gauntlet_request_errors_total", v1 | {"fault": "server"}) == server
    assert registry.get_sample_value("gauntlet_rows_total", MODEL) == rows
    assert registry.get_sample_value("gauntlet_request_seconds_bucket", v1 | {"le": "0.0025"}) == 0
    assert registry.get_sample_value("gauntlet_request_seconds_bucket", v1 | {"le": "0.005"}) == 1


def test_scores_are_histograms_by_version_and_slice(registry: CollectorRegistry) -> None:
    counts = ScoreCounts([0.25, 0.5], {"region": ["north"]})
    Metrics("loans", "7", "sha256:d", counts, registry)

    def bucket(le: str, **labels: str) -> float | None:
        name = "gauntlet_slice_scores_bucket" if labels else "gauntlet_scores_bucket"
        return registry.get_sample_value(name, MODEL | labels | {"le": le})

    assert bucket("0.25") == bucket("+Inf", slice="region=north") == 0  # there before the first request
    rows = Rows({"region": ["north", "atlantis"]}, 2)
    counts.add(rows, Answer(("prediction",), (np.array([0.25, 0.7]),), "column"))
    assert [bucket(le) for le in ("0.25", "0.5", "+Inf")] == [1, 1, 2]
    assert bucket("+Inf", slice="region=north") == bucket("0.5", slice="region=north") == 1
    assert bucket("+Inf", slice="region=(other)") == 1
    assert bucket("+Inf", slice="region=atlantis") is None


def test_a_model_without_one_score_has_no_score_series(registry: CollectorRegistry) -> None:
    Metrics("loans", "7", "sha256:d", registry=registry)
    assert registry.get_sample_value("gauntlet_scores_bucket", MODEL | {"le": "+Inf"}) is None
