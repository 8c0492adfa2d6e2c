"""Effective sample sizes: of how many plain rows weighted or clustered ones tell as much about a share."""

from __future__ import annotations

import numpy as np

from gauntlet.evaluation.families import Family, Side
from gauntlet.evaluation.sample import Floats
from gauntlet.evaluation.simultaneous import student_quantile

_PRIOR_ROWS = 0.4
"""Rows of a share's rarer kind, in units of the squared critical value, by which its variance under weights is drawn
towards that of equal weights: 1.5 alone, 4 at one of 24. So the intervals cover 93-97 % both where weights are drawn
(log-normal) and where they follow the label, and err together no more often than they say (tests/simulation)."""
_PRIOR_CLUSTERS = 0.2
"""The same where rows are clustered, towards a variance midway (of logarithms) to that of clusters of one mind. So the
high end of a rate of 2 % errs in 2 % alone and 0.02 % at one of 24 where clusters of 50 rows correlate by a quarter
(else in 10 and 3 %; nominal 2.5 and 0.1), and the interval of 40 % in households is one or two percent wider."""


def implied_size(side: Side) -> Floats:
    """The sample size that a share's variance implies, v(1 - v) / variance; its support where it has none (at 0, 1)."""
    inner = (side.value > 0) & (side.value < 1) & (side.variance > 0)
    spread = side.value * (1 - side.value)
    # The variance of a share carries m / (m - 1): adding 1 gives m back.
    return np.where(inner, spread / np.where(inner, side.variance, 1.0) + 1, side.support)


def binomial_size(family: Family, side: Side, critical: Floats) -> Floats:
    """(k,) numbers of rows of which shares are known as well by binomial tails as by their variance and t.

    A variance that rests on few rows of a kind implies too many: those that weigh most, or a cluster in which they are
    many, it may not have met. So it is drawn towards the variance that the effective number of all rows (or clusters)
    implies, with the weight of a few more rows of that kind.

    Args:
        family: of shares, for its metrics; others give anything.
        side: the shares.
        critical: (k,) critical values of |z|, positive.
    """
    size, support = implied_size(side), side.support
    rarer = np.nan_to_num(np.minimum(side.value, 1 - side.value)) * support
    prior = _PRIOR_CLUSTERS if family.clustered else _PRIOR_ROWS
    weight = 1 / (1 + rarer / (prior * critical**2))
    known, units = (np.where(rows > 0, rows, 1.0) for rows in (size, support))
    towards = np.sqrt(known * units) if family.clustered else units
    drawn = np.where(size > support, 1 / ((1 - weight) / known + weight / towards), size)
    df = family.df if family.clustered and family.kind == "difference" else side.df
    df = np.where(family.seed_variance > 0, np.minimum(df, family.df), df)
    return np.asarray(drawn * (critical / student_quantile(critical, df)) ** 2)
