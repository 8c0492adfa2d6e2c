"""Text of rates, tests, e-values and durations in sentences and reports."""

from __future__ import annotations

import math

from gauntlet.delivery.analysis.state import Tally


def percent(rate: float) -> str:
    """A share with two significant digits: ``3.1 %``, ``0.042 %``, ``62 %``."""
    value = 100 * rate
    digits = 1 if value >= 1 or value == 0 else 1 - math.floor(math.log10(value))
    return f"{value:.{0 if value >= 10 else digits}f} %"


def rates(tally: Tally) -> str:
    """``3.1 % of 1,204 against 0.9 % of 10,300``."""
    return f"{_rate(*tally.canary)} against {_rate(*tally.stable)}"


def hits(metric: str, test: str) -> str:
    """What a test counts: ``errors``, ``requests above 0.25 s``, ``scores above 0.3``."""
    if metric == "latency":
        return f"requests above {test.removeprefix('le=')} s"
    if metric in ("scores", "slices"):
        return f"scores {test}" if metric == "scores" else f"scores of {test}"
    return "wrong decisions" if metric == "outcomes" else metric


def e_value(log_e: float) -> str:
    """An e-value from its logarithm: ``96``, ``0.02``, ``more than 1e9``."""
    if log_e > math.log(1e9):
        return "more than 1e9"
    value = math.exp(log_e)
    return f"{value:.3g}" if value < 1000 else f"{value:,.0f}"


def duration(seconds: float) -> str:
    """``40 s``, ``12 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _rate(count: float, requests: float) -> str:
    return f"{percent(count / requests)} of {requests:,.0f}" if requests else "none of none"
