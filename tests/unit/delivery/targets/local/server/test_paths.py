from __future__ import annotations

import pytest

from gauntlet.delivery.targets.local.server.paths import way_of


@pytest.mark.parametrize(
    ("target", "passed", "predicts"),
    [
        (b"/v1/models/loans:predict", b"/v1/models/loans:predict", True),
        (b"/v1/models/loans%3Apredict", b"/v1/models/loans:predict", True),
        (b"/v2/models/loans/infer", b"/v2/models/loans/infer", True),
        (b"/v2/models/loans/versions/7/infer?x=1", b"/v2/models/loans/versions/7/infer?x=1", True),
        (b"/%76%31/models/loans", b"/v1/models/loans", False),
        (b"/v1/models", b"/v1/models", False),
        (b"/v2", b"/v2", False),
        (b"/v2/health/ready", b"/v2/health/ready", False),
        (b"/v2/models/%C3%9C%20x", b"/v2/models/%C3%9C%20x", False),
        (b"/v2/models/..loans/ready", b"/v2/models/..loans/ready", False),
        (b"/v2/models/loans/versions/7/ready", b"/v2/models/loans/versions/7/ready", False),
    ],
)
def test_predictions_metadata_and_health_are_passed_on_as_they_are_meant(
    target: bytes, passed: bytes, predicts: bool
) -> None:
    way = way_of(target)
    assert way is not None
    assert (way.target, way.predicts) == (passed, predicts)
    assert way.methods == ((b"POST",) if predicts else (b"GET", b"HEAD"))


@pytest.mark.parametrize(
    "target",
    [
        "/metrics",
        "/%6detrics",
        "/%6Detrics",
        "/metrics/",
        "//metrics",
        "/./metrics",
        "/x/../metrics",
        "/v2/../metrics",
        "/%2e/metrics",
        "/%2fmetrics",
        "/v2/repository/index",
        "/v2/%72epository/index",
        "/v2//repository/index",
        "/v2/models//ready",
        "/v2/models/.",
        "/v2/models/..",
        "/v2/models/%2e%2e/ready",
        "/v2/models/%2e%2e%2fmetrics",
        "/v2/models/x%2f..%2f..%2fmetrics",
        "/v2/models/loans/",
        "/v2/models/loans/metrics",
        "/v1/models/loans:explain:predict/",
        "/v1/models/loans/metrics",
        "/v1/models/../models/x:predict",
        "/docs",
        "/openapi.json",
        "/",
        "*",
        "x:443",
        "http://127.0.0.1/metrics",
        "http://127.0.0.1/v2/health/live",
        "HTTP://x",
        "/v2/health/ready/",
        "/v2/health/%00",
        "/%ff",
        "/v2/models/%ff",
        "/v2/models/%ed%a0%80",
        "?/v2",
        "/v2/models/loans/infer/x",
    ],
)
def test_nothing_else_is_passed_on(target: str) -> None:
    assert way_of(target.encode()) is None


def test_bytes_beyond_ascii_are_no_path() -> None:
    assert way_of("/v2/models/Ü".encode()) is None
