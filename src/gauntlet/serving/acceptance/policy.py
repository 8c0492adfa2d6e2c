"""Settings of ``check_serving``: limits, with their units, and sizes of the tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import Field, model_validator

from gauntlet.serving.contract import MOST_ROWS
from gauntlet.serving.service import MOST_BYTES
from gauntlet.settings import Settings

Protocol = Literal["v1", "v2"]

QUANTILES: Mapping[str, float] = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99, "p999_ms": 0.999}
"""Fields of ``LatencyLimits`` → the quantile each limits."""


class ContractPolicy(Settings):
    """Settings of the tests of the API contract."""

    max_rows: int = Field(
        MOST_ROWS, ge=2, description="Rows the server takes in one request; one more has to be refused."
    )
    max_bytes: int = Field(MOST_BYTES, ge=1024, description="Bytes the server takes in one request.")
    many_rows: int = Field(100, ge=3, description="Rows of an ordinary request of many rows.")
    waive: tuple[str, ...] = Field(
        (), description="Cases left out, as patterns of 'check/case': 'v1: accepted/rows as arrays', '*/unseen *'."
    )


class ParityPolicy(Settings):
    """Settings of the comparison of served scores with those of ``batch_predict``."""

    rows: int = Field(1000, ge=1, description="Rows compared: spread over the split, extremes and gaps included.")
    single_rows: int = Field(100, ge=1, description="How many of them are also asked one by one.")
    rows_per_request: int = Field(100, ge=2, description="Rows of the other requests.")
    tolerance: float = Field(
        1e-6, ge=0, le=1, description="Largest difference of a score: absolute up to 1, relative to the score beyond."
    )


class LatencyLimits(Settings):
    """Settings and limits of the open-loop latency run. A limit that is false is measured, not checked."""

    rate: float = Field(100.0, gt=0, le=20_000, description="Requests per second.")
    seconds: float = Field(60.0, ge=1, le=3600, description="How long. p99.9 needs some 10,000 requests.")
    connections: int = Field(64, ge=1, le=4096, description="Connections kept open.")
    timeout_seconds: float = Field(5.0, gt=0, le=60, description="After which a request has failed.")
    rows_per_request: int = Field(1, ge=1, le=1000, description="Rows of each request.")
    p50_ms: float | None = Field(None, gt=0, description="Most at the median, milliseconds from the intended start.")
    p95_ms: float | None = Field(None, gt=0, description="Most at the 95th percentile, milliseconds.")
    p99_ms: float | None = Field(250.0, gt=0, description="Most at the 99th percentile, milliseconds.")
    p999_ms: float | None = Field(None, gt=0, description="Most at the 99.9th percentile, milliseconds.")
    error_share: float = Field(0.001, gt=0, lt=1, description="Most failed requests, as a share.")
    attempts: int = Field(2, ge=1, le=5, description="Runs that may be invalid before the check is an error.")


class SaturationPolicy(Settings):
    """Settings of the search for the highest sustained rate, in short runs."""

    min_rate: float | None = Field(
        None, gt=0, description="What it must keep, requests/s. Default: the rate of latency."
    )
    highest: float = Field(2000.0, gt=0, le=20_000, description="Above this nothing is tried, requests/s.")
    p99_ms: float | None = Field(
        None, gt=0, description="Most at p99 of a run, milliseconds. Default: that of latency."
    )
    trial_seconds: float = Field(5.0, ge=1, le=120, description="Length of one run.")
    budget_seconds: float = Field(120.0, ge=1, le=3600, description="All runs together send for so long at most.")
    precision: float = Field(
        0.1, gt=0, lt=1, description="The search ends when the bracket is narrower than this share."
    )


class FootprintPolicy(Settings):
    """Limits on resource usage, from the server's own /metrics. A limit that is false is not checked."""

    peak_mb: float | None = Field(2048.0, gt=0, description="Most resident memory seen, in MB of 10⁶ bytes.")
    growth_bytes_per_request: float | None = Field(
        1024.0, gt=0, description="Most growth of resident memory per request after warming up: the hint of a leak."
    )
    cpu_ms_per_request: float | None = Field(None, gt=0, description="Most processor time per request, milliseconds.")
    cores: float | None = Field(None, gt=0, description="Most processors busy on average under load.")
    cold_start_seconds: float | None = Field(60.0, gt=0, description="Most seconds from process start to ready.")
    every_seconds: float = Field(0.5, ge=0.1, le=60, description="Between two looks at /metrics under load.")


class ServingPolicy(Settings):
    """Settings of ``check_serving``. A block that is false is not tested."""

    protocols: tuple[Protocol, ...] = Field(("v1", "v2"), min_length=1, description="Which protocols are tested.")
    contract: ContractPolicy | None = Field(ContractPolicy.model_validate({}), description="The API contract.")
    parity: ParityPolicy | None = Field(ParityPolicy.model_validate({}), description="Served against offline scores.")
    latency: LatencyLimits | None = Field(LatencyLimits.model_validate({}), description="Latency at a given rate.")
    saturation: SaturationPolicy | None = Field(
        SaturationPolicy.model_validate({}), description="The highest rate kept; needs latency."
    )
    footprint: FootprintPolicy | None = Field(
        FootprintPolicy.model_validate({}), description="Memory, processor and cold start; needs latency."
    )
    identity: bool = Field(True, description="The server must say, in /metrics, that it serves the model given.")
    headers: Mapping[str, str] = Field({}, description="Sent with every request; a gateway routes by host.")
    timeout_seconds: float = Field(30.0, gt=0, le=600, description="For one request outside the runs of load.")
    confidence: float = Field(0.95, gt=0.5, lt=1, description="Confidence at which anything is called shown.")
    seed: int = Field(0, ge=0, description="Of arrivals and of the order of rows.")
    allow_remote: bool = Field(
        False, description="Test an address beyond this machine. A production address would be put under load."
    )

    @model_validator(mode="after")
    def _consistent(self) -> ServingPolicy:
        if len(set(self.protocols)) < len(self.protocols):
            raise ValueError("protocols: names one twice")
        if self.latency is None and self.footprint is not None:
            raise ValueError("footprint is measured under the load of latency: give latency, or set footprint to false")
        if self.latency is None and self.saturation is not None:
            raise ValueError("saturation starts at the rate of latency: give latency, or set saturation to false")
        if self.latency and self.saturation and self.latency.rate > self.saturation.highest:
            raise ValueError("saturation.highest is below latency.rate: raise it")
        return self
