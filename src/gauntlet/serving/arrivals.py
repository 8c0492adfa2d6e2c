"""Intended starts of requests, drawn before the run, so that no response can delay a request."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Spacing = Literal["poisson", "constant"]


def arrivals(rate: float, seconds: float, *, spacing: Spacing = "poisson", seed: int = 0) -> Floats:
    """Draw the intended starts of round(rate · seconds) requests, in seconds from the start of the run.

    ``poisson`` is a Poisson process given its number of points: sorted uniforms (gaps are exponential in the limit, and
    the offered rate is exactly ``rate``). ``constant`` has one request every 1/rate.

    Args:
        rate: requests per second, positive.
        seconds: length of the run, positive.
        spacing: arrival process.
        seed: seed of the Poisson arrivals; equal seeds give equal arrivals.

    Returns:
        (n,) float, ascending, within [0, seconds).

    >>> arrivals(4, 1, spacing="constant").tolist()
    [0.0, 0.25, 0.5, 0.75]
    """
    count = round(rate * seconds)
    if spacing == "constant":
        return np.arange(count, dtype=np.float64) * (seconds / max(count, 1))
    return np.sort(np.random.default_rng(seed).random(count)) * seconds
