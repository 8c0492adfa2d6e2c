"""What a run of load has shown, and whether it may be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from gauntlet.serving.arrivals import Floats

LEAST_ACHIEVED = 0.99
"""Share of the asked rate that a run must have sent. Below it, the load was not the one asked for."""
MOST_LAG_SECONDS = 0.005
"""What the generator itself may be late by at the 99th percentile. Above it, latencies are partly its own."""


class Outcome(IntEnum):
    """How a request ended."""

    ANSWERED = 1
    """With a whole answer, of whatever status."""
    TIMED_OUT = 2
    """Sent, and not answered within the timeout."""
    NEVER_SENT = 3
    """No connection was free, or none could be opened, within the timeout."""
    CUT = 4
    """The connection was closed before the whole answer had come."""
    MALFORMED = 5
    """What came was not HTTP."""


@dataclass(frozen=True)
class Measured:
    """One run: n requests, each decided exactly once. Times are seconds from the start of the run.

    Attributes:
        rate: requests per second asked for.
        seconds: how long requests were meant to go out.
        timeout: seconds from the intended start after which a request was given up.
        intended: (n,) when each was meant to go out, ascending.
        fired: (n,) when the generator got to it: never before ``intended``.
        sent: (n,) when it was put on a connection; NaN if it never was.
        ended: (n,) when it was decided.
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
        """(n,) seconds from the intended start to the end, failures included: a timeout counts with its full time."""
        return self.ended - self.intended

    @property
    def lag(self) -> Floats:
        """(n,) seconds by which the generator itself was late."""
        return self.fired - self.intended

    @property
    def send_lag(self) -> Floats:
        """(n,) seconds from the intended start to the sending: ``lag`` and the wait for a connection; NaN if never."""
        return self.sent - self.intended

    @property
    def service(self) -> Floats:
        """(n,) seconds from the sending to the end, without the wait for a connection; NaN if never sent."""
        return self.ended - self.sent

    @property
    def succeeded(self) -> NDArray[np.bool_]:
        """(n,) answered with a status below 400."""
        answered = self.outcome == Outcome.ANSWERED
        return np.asarray(answered & (self.status < 400), dtype=np.bool_)

    @property
    def achieved_rate(self) -> float:
        """Requests per second really sent: those sent, over the longer of ``seconds`` and the time until the last."""
        sent = self.sent[~np.isnan(self.sent)]
        return len(sent) / max(self.seconds, float(sent.max())) if len(sent) else 0.0

    @property
    def errors(self) -> dict[str, int]:
        """Failed requests by kind: ``status 503``, ``timed out``, ``never sent``, ``cut``, ``malformed``."""
        refused = self.status[(self.outcome == Outcome.ANSWERED) & (self.status >= 400)]
        found = {
            f"status {code}": int(count) for code, count in zip(*np.unique(refused, return_counts=True), strict=True)
        }
        for kind in Outcome:
            if kind is not Outcome.ANSWERED and (count := int((self.outcome == kind).sum())):
                found[kind.name.lower().replace("_", " ")] = count
        return found

    def faults(self, most_lag: float = MOST_LAG_SECONDS) -> tuple[str, ...]:
        """Why this run does not show what was asked, a sentence each; empty when it may be believed.

        A run is invalid when it sent less than 99 % of the rate asked for, or when the generator itself was more than
        5 ms late at the 99th percentile. Neither says that the target is bad: errors and latencies do.

        Args:
            most_lag: another bound than 5 ms on the generator's own lag, in seconds.
        """
        found = []
        if (share := self.achieved_rate / self.rate) < LEAST_ACHIEVED:
            found.append(
                f"The rate was not kept: {self.achieved_rate:,.0f} of {self.rate:,.0f} requests/s were sent "
                f"({share:.1%}). The target or the connections could not take it, or stalled as the run ended. "
                "Lower the rate, give more connections, or run longer."
            )
        if (lag := percentile(self.lag, 99)) > most_lag:
            found.append(
                f"The generator itself was {lag * 1e3:,.1f} ms late at p99, more than {most_lag * 1e3:.0f} ms: "
                "latencies are partly its own. Lower the rate, or give it a processor of its own."
            )
        return tuple(found)


@dataclass(frozen=True)
class Summary:
    """The key figures of a run. Latencies in seconds, from the intended start.

    Attributes:
        requests: how many were decided.
        rate: requests per second asked for.
        achieved_rate: requests per second really sent.
        latency: by percentile, all requests.
        service: by percentile, all that were sent: without the wait for a connection.
        lag_p99: of the generator itself.
        errors: failed requests by kind.
        faults: why the run does not show what was asked; empty when it may be believed.
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
        """The run may be believed."""
        return not self.faults

    @property
    def error_share(self) -> float:
        """Failed requests, as a share of all."""
        return sum(self.errors.values()) / self.requests


def summarise(
    measured: Measured, percentiles: Sequence[float] = (50, 95, 99, 99.9), *, most_lag: float = MOST_LAG_SECONDS
) -> Summary:
    """The key figures of a run.

    Quick errors flatter latencies: read them beside ``errors``.

    Args:
        measured: the run.
        percentiles: which latencies to report, each in [0, 100].
        most_lag: as ``Measured.faults`` takes it.
    """
    service = measured.service[~np.isnan(measured.sent)]
    return Summary(
        requests=len(measured.intended),
        rate=measured.rate,
        achieved_rate=measured.achieved_rate,
        latency={q: percentile(measured.latency, q) for q in percentiles},
        service={q: percentile(service, q) for q in percentiles},
        lag_p99=percentile(measured.lag, 99),
        errors=measured.errors,
        faults=measured.faults(most_lag),
    )


def percentile(values: Floats, q: float) -> float:
    """The observed value of rank ⌈(n − 1) · q / 100⌉, counted from 0: never interpolated, never flattering.

    Args:
        values: (n,) without NaN.
        q: in [0, 100].

    Returns:
        NaN when there are no values.

    >>> percentile(np.array([1.0, 2.0, 3.0, 4.0]), 60)
    3.0
    """
    return float(np.percentile(values, q, method="higher")) if len(values) else float("nan")
