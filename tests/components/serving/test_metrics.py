import pytest
from prometheus_client import CollectorRegistry

from gauntlet.serving.metrics import CODES, PROTOCOLS, Metrics
from gauntlet.serving.service import Reply

MODEL = {"model_name": "loans", "model_version": "7"}


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_every_series_is_there_at_zero_before_the_first_request(registry: CollectorRegistry) -> None:
    Metrics("loans", "7", "sha256:d", registry)
    for protocol in PROTOCOLS:
        for code in CODES:
            labels = MODEL | {"protocol": protocol, "code": str(code)}
            assert registry.get_sample_value("gauntlet_requests_total", labels) == 0
        for fault in ("caller", "server"):
            labels = MODEL | {"protocol": protocol, "fault": fault}
            assert registry.get_sample_value("gauntlet_request_errors_total", labels) == 0


@pytest.mark.parametrize(
    ("status", "rows", "caller", "server"), [(200, 3, 0, 0), (400, 0, 1, 0), (413, 0, 1, 0), (500, 0, 0, 1)]
)
def test_whose_fault_an_unanswered_request_is(
    registry: CollectorRegistry, status: int, rows: int, caller: int, server: int
) -> None:
    Metrics("loans", "7", "sha256:d", registry).record("v1", Reply(status, b"", rows), 0.004)
    v1 = MODEL | {"protocol": "v1"}
    assert registry.get_sample_value("gauntlet_requests_total", v1 | {"code": str(status)}) == 1
    assert registry.get_sample_value("gauntlet_request_errors_total", v1 | {"fault": "caller"}) == caller
    assert registry.get_sample_value("gauntlet_request_errors_total", v1 | {"fault": "server"}) == server
    assert registry.get_sample_value("gauntlet_rows_total", MODEL) == rows
    assert registry.get_sample_value("gauntlet_request_seconds_bucket", v1 | {"le": "0.0025"}) == 0
    assert registry.get_sample_value("gauntlet_request_seconds_bucket", v1 | {"le": "0.005"}) == 1
