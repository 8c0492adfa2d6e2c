"""Result of a load: latencies, errors, achieved rate, and whether the run is valid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gauntlet.serving.arrivals import Floats

LEAST_ACHIEVED = 0.99
"""Least share of the configured rate that a valid run has sent."""
MOST_LAG_SECONDS = 0.005
"""Largest lag of the generator at p99 in a valid run. Above it, latencies are partly the generator's own."""


class Outcome(IntEnum):
    """Outcome of a request."""

    ANSWERED = 1
    """Complete response, of any status."""
    TIMED_OUT = 2
    """Sent, but not answered within the timeout."""
    NEVER_SENT = 3
    """No connection became free, or could be opened, within the timeout."""
    CUT = 4
    """The connection was closed before the complete response."""
    MALFORMED = 5
    """The response was not HTTP."""


@dataclass(frozen=True)
class LoadResult:
    """Result of one run with n requests. Times are seconds from the start of the run.

    Attributes:
        rate: configured requests per second.
        seconds: configured duration of sending.
        timeout: seconds from the intended start after which a request timed out.
        intended: (n,) intended starts, ascending.
        fired: (n,) when the generator processed the request: never before ``intended``.
        sent: (n,) when it was written to a connection; NaN if it never was.
        ended: (n,) when it finished.
        outcome: (n,) of ``Outcome``.
        status: (n,) HTTP status; 0 unless answered.
    """

    rate: float
    seconds: float
    timeout: float
    intended: Floats
    fired: Floats
    sent: Floats
    ended: Floats
    outcome: NDArray[np.uint8]
    status: NDArray[np.uint16]

    @property
    def latency(self) -> Floats:
        """Latency, (n,) seconds from the intended start to the end; a failed request counts with its full time."""
        return self.ended - self.intended

    @property
    def lag(self) -> Floats:
        """Lag of the generator, (n,) seconds."""
        return self.fired - self.intended

    @property
    def send_lag(self) -> Floats:
        """Send lag, (n,) seconds from the intended start to sending: ``lag`` and queue time; NaN if never sent."""
        return self.sent - self.intended

    @property
    def service(self) -> Floats:
        """Service time, (n,) seconds from sending to the end, without queue time; NaN if never sent."""
        return self.ended - self.sent

    @property
    def succeeded(self) -> NDArray[np.bool_]:
        """Success, (n,): answered with a status below 400."""
        answered = self.outcome == Outcome.ANSWERED
        return np.asarray(answered & (self.status < 400), dtype=np.bool_)

    @property
    def achieved_rate(self) -> float:
        """Achieved requests per second: those sent, over the longer of ``seconds`` and the time of the last."""
        sent = self.sent[~np.isnan(self.sent)]
        return len(sent) / max(self.seconds, float(sent.max())) if len(sent) else 0.0

    @property
    def errors(self) -> dict[str, int]:
        """Failed requests by kind: ``status 503``, ``timed out``, ``never sent``, ``cut``, ``malformed``."""
        rejected = self.status[(self.outcome == Outcome.ANSWERED) & (self.status >= 400)]
        counts = {
            f"status {code}": int(count) for code, count in zip(*np.unique(rejected, return_counts=True), strict=True)
        }
        for kind in Outcome:
            if kind is not Outcome.ANSWERED and (count := int((self.outcome == kind).sum())):
                counts[kind.name.lower().replace("_", " ")] = count
        return counts

    def faults(self, most_lag: float = MOST_LAG_SECONDS) -> tuple[str, ...]:
        """Reasons why the run is invalid, one sentence each; empty for a valid run.

        A run is invalid if it sent less than 99 % of the configured rate, or if the generator itself was more than 5 ms
        late at p99. Neither is a fault of the target, which errors and latencies show.

        Args:
            most_lag: bound on the generator's own lag, in seconds.
        """
        faults = []
        if (share := self.achieved_rate / self.rate) < LEAST_ACHIEVED:
            faults.append(
                f"The rate was not kept: {self.achieved_rate:,.0f} of {self.rate:,.0f} requests/s were sent "
                f"({share:.1%}). The target or the connections could not take it, or stalled as the run ended. "
                "Lower the rate, use more connections, or run longer."
            )
        if (lag := percentile(self.lag, 99)) > most_lag:
            faults.append(
                f"The generator itself was {lag * 1e3:,.1f} ms late at p99, more than {most_lag * 1e3:.0f} ms: "
                "latencies are partly its own. Lower the rate, or run it on a processor of its own."
            )
        return tuple(faults)


@dataclass(frozen=True)
class Summary:
    """Summary statistics of a run. Latencies in seconds, from the intended start.

    Attributes:
        requests: number of requests.
        rate: configured requests per second.
        achieved_rate: achieved requests per second.
        latency: latency by percentile, all requests.
        service: service time by percentile, requests that were sent: without queue time.
        lag_p99: lag of the generator itself.
        errors: failed requests by kind.
        faults: reasons why the run is invalid; empty for a valid run.
    """

    requests: int
    rate: float
    achieved_rate: float
    latency: dict[float, float]
    service: dict[float, float]
    lag_p99: float
    errors: dict[str, int]
    faults: tuple[str, ...]

    @property
    def valid(self) -> bool:
        """Whether the run is valid."""
        return not self.faults

    @property
    def error_share(self) -> float:
        """Share of failed requests."""
        return sum(self.errors.values()) / self.requests


def summarise(
    result: LoadResult, percentiles: Sequence[float] = (50, 95, 99, 99.9), *, most_lag: float = MOST_LAG_SECONDS
) -> Summary:
    """Compute the summary statistics of a run.

    Fast errors lower the latencies: read them together with ``errors``.

    Args:
        result: the run.
        percentiles: percentiles to report, each in [0, 100].
        most_lag: as of ``LoadResult.faults``.
    """
    service = result.service[~np.isnan(result.sent)]
    return Summary(
        requests=len(result.intended),
        rate=result.rate,
        achieved_rate=result.achieved_rate,
        latency={q: percentile(result.latency, q) for q in percentiles},
        service={q: percentile(service, q) for q in percentiles},
        lag_p99=percentile(result.lag, 99),
        errors=result.errors,
        faults=result.faults(most_lag),
    )


def percentile(values: Floats, q: float) -> float:
    """Empirical percentile: the value of rank ⌈(n − 1) · q / 100⌉, counted from 0, without interpolation.

    Args:
        values: (n,) without NaN.
        q: in [0, 100].

    Returns:
        NaN when there are no values.

    >>> percentile(np.array([1.0, 2.0, 3.0, 4.0]), 60)
    3.0
    """
    return float(np.percentile(values, q, method="higher")) if len(values) else float("nan")
