"""The incomplete beta function and its inverse.

Relative errors stay below 1e-9 up to ten million rows: differences of ``math.lgamma`` alone would lose seven digits
there, so logarithms of gamma functions are taken as Stirling's formula and a small rest, and the large parts cancel on
paper.
"""

from __future__ import annotations

import math

_TINY = 1e-300
_LEAST_LOG = -600
"""Logarithm below which a density is as good as none, and its inverse too large to be a number."""
_STIRLING = (1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188)
"""Coefficients of z⁻¹, z⁻³, … in DLMF 5.11.1."""
_LEAST_STIRLING = 10
"""The z from which these five terms give the rest to 2e-14."""


def quantile(tail: float, a: float, b: float) -> float:
    """The x with I_x(a, b) = ``tail``: Newton's steps, halved where one would leave what is known to hold it.

    To twelve digits: the last ones of a and b differ between runs that add the same numbers in another order.

    Args:
        tail: in (0, 1).
        a, b: above 0.

    >>> round(quantile(0.5, 3, 3), 12)
    0.5
    """
    low, high, x = 0.0, 1.0, a / (a + b)
    while high - low > 1e-13 * high:
        if not _TINY < x < 1:
            return x  # nearer to an end than numbers tell
        miss = regularized(x, a, b) - tail
        low, high = (x, high) if miss < 0 else (low, x)
        log_slope = _log_front(x, 1 - x, a, b) - math.log(x) - math.log1p(-x)
        step = miss * math.exp(-log_slope) if log_slope > _LEAST_LOG else math.inf
        if abs(step) <= 1e-12 * x:
            return float(f"{x:.12g}")
        x = x - step if low < x - step < high else (low + high) / 2
    return (low + high) / 2


def regularized(x: float, a: float, b: float) -> float:
    """The regularized incomplete beta function I_x(a, b): the chance that a Beta(a, b) variable is below x.

    Args:
        x: in (0, 1).
        a, b: above 0.

    >>> round(regularized(0.5, 1, 2), 12)
    0.75
    """
    y = 1 - x
    if x > (a + 1) / (a + b + 2):
        return 1 - math.exp(_log_front(y, x, b, a)) * fraction(b, a, y) / b
    return math.exp(_log_front(x, y, a, b)) * fraction(a, b, x) / a


def fraction(a: float, b: float, x: float) -> float:
    """a · I_x(a, b) B(a, b) / (xᵃ(1-x)ᵇ) as a continued fraction (DLMF 8.17.22).

    By Lentz' method as modified by Thompson and Barnett (1986). Converges quickly for x < (a + 1)/(a + b + 2), in about
    √max(a, b) terms.
    """
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, 200 + int(20 * math.sqrt(max(a, b)))):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            value *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return value


def _log_front(x: float, y: float, a: float, b: float) -> float:
    """ln(xᵃ yᵇ / B(a, b)), y being 1 − x: the density of the beta distribution at x, times x·y.

    With p = a/(a + b) and q = 1 − p it is ½ ln(ab/2π(a + b)) + a ln(x/p) + b ln(y/q) and the rests of Stirling's
    formula. The last two logarithms take the same difference from p, so that its rounding error cancels.
    """
    n = a + b
    p, q = a / n, b / n
    difference = x - p if x <= y else q - y
    near = a * _log_ratio(x, p, difference) + b * _log_ratio(y, q, -difference)
    return 0.5 * math.log(a * b / (2 * math.pi * n)) + near + _rest(n) - _rest(a) - _rest(b)


def _log_ratio(value: float, reference: float, difference: float) -> float:
    """ln(value / reference), to full precision where they are close."""
    return math.log1p(difference / reference) if abs(difference) <= reference / 2 else math.log(value / reference)


def _rest(z: float) -> float:
    """ln Γ(z) without Stirling's formula, (z − ½) ln z − z + ½ ln 2π."""
    if z < _LEAST_STIRLING:
        return math.lgamma(z) - ((z - 0.5) * math.log(z) - z + 0.5 * math.log(2 * math.pi))
    square = 1 / (z * z)
    value = 0.0
    for coefficient in reversed(_STIRLING):
        value = value * square + coefficient
    return value / z


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
