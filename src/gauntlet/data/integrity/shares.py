"""Shares of rows that break a rule: counted over all rows, held against what is tolerated.

A rule that tolerates nothing is a promise about these rows: one that breaks it is enough, and none is a pass. A
tolerance above zero is about what the source delivers, of which these rows are a sample: the share is held against it
with an exact interval, at the effective number of rows where rows are clustered.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gauntlet.data.integrity.sql import listed
from gauntlet.data.integrity.tables import Tables
from gauntlet.data.phrasing import share as percent
from gauntlet.stats.planning import rows_for_share
from gauntlet.stats.proportions import clopper_pearson
from gauntlet.verdict import Check, Status, decide

_LONGEST = 60
"""Characters of a key that are quoted."""


@dataclass(frozen=True)
class Examples:
    """A few of the values that break a rule.

    Attributes:
        shown: as a person reads them, at most as many as the policy lets be quoted.
        more: there are others.
    """

    shown: tuple[str, ...]
    more: bool

    @classmethod
    def of(cls, found: Sequence[str], most: int) -> Examples:
        """The first ``most``; asking for one more than that tells whether there are others."""
        return cls(tuple(found[:most]), len(found) > most)

    @property
    def quoted(self) -> str:
        """After a colon, each shortened: ``: `C-17`, `C-20` and others``; nothing where there are none to show."""
        if not self.shown:
            return ""
        short = (one if len(one) <= _LONGEST else one[: _LONGEST - 1] + "…" for one in self.shown)
        return ": " + ", ".join(f"`{one}`" for one in short) + (" and others" if self.more else "")


NO_EXAMPLES = Examples((), False)


@dataclass(frozen=True)
class Share:
    """Rows that break a rule.

    Attributes:
        hits: how many do.
        rows: of how many.
        effective: independent rows that this is worth; ``rows`` where they are not clustered.
    """

    hits: int
    rows: int
    effective: float

    @property
    def value(self) -> float:
        """hits / rows; 0 of nothing."""
        return self.hits / self.rows if self.rows else 0.0

    def interval(self, alpha: float) -> tuple[float, float]:
        """Exact interval at confidence 1 − ``alpha``, Clopper and Pearson (1934)."""
        return clopper_pearson(self.value * self.effective, self.effective, alpha)


def count_share(tables: Tables, relation: str, hit: str) -> Share:
    """Count the rows that break a rule.

    Args:
        tables: what to ask.
        relation: the rows it is about, with the cluster's column if there is one; in a query's FROM.
        hit: condition under which a row breaks it; never null.
    """
    if not tables.cluster:
        rows, hits = tables.one(f"SELECT count(*), count(*) FILTER (WHERE {hit}) FROM {relation}")
        return Share(hits, rows, float(rows))
    sums = tables.one(
        "SELECT count(*), sum(n)::BIGINT, sum(x)::BIGINT, sum(x * x)::DOUBLE, sum(x * n)::DOUBLE, sum(n * n)::DOUBLE"
        f" FROM (SELECT count(*) AS n, count(*) FILTER (WHERE {hit}) AS x FROM {relation}"
        f" GROUP BY {listed(tables.cluster)})"
    )
    clusters, rows, hits, squares, products, sizes = (found or 0 for found in sums)
    return Share(hits, rows, effective_rows(hits, rows, clusters, squares, products, sizes))


def effective_rows(hits: float, rows: float, clusters: int, squares: float, products: float, sizes: float) -> float:
    """Independent rows that clustered ones are worth for a share: rows / design effect, which is at least 1.

    Kish, "Survey Sampling" (1965): the variance of the share as a ratio of sums over clusters, over p(1 − p) / rows.
    Where no row or every row is a hit it cannot be seen, and a cluster counts as one.

    Args:
        hits, rows, clusters: how many.
        squares, products, sizes: sums over clusters of x², x·n and n² (x hits among n rows).
    """
    if not rows or clusters < 2:
        return float(clusters)
    p = hits / rows
    if p in (0.0, 1.0):
        return float(clusters)
    spread = (squares - 2 * p * products + p * p * sizes) * clusters / (clusters - 1) / rows**2
    return rows / max(1.0, spread * rows / (p * (1 - p)))


def judge_share(
    name: str,
    share: Share,
    bound: float,
    alpha: float,
    *,
    code: str,
    subject: str,
    broken: str,
    kept: str,
    examples: Examples = NO_EXAMPLES,
) -> Check:
    """Hold a share against what is tolerated.

    Args:
        name: the check's.
        share: what was counted.
        bound: largest share tolerated.
        alpha: 1 − confidence of this check alone.
        code, subject: the check's.
        broken: what the hits are: ``have a customer that is not in customers``, after "12 of 500 rows".
        kept: the sentence when there is none, without its full stop.
        examples: what to quote.
    """
    interval = share.interval(alpha)
    if not bound:
        status = Status.FAIL if share.hits else Status.PASS
    else:
        status = decide(interval, bound=bound, direction="max")
    needed = None
    if not share.rows:
        status, reason = Status.ERROR, f"{kept} could not be checked: there is no row to check it on."
    elif not share.hits and status is Status.PASS:
        reason = f"{kept}, in all {share.rows:,} rows."
    else:
        quoted = examples.quoted
        reason = (
            f"{share.hits:,} of {share.rows:,} rows ({percent(share.value)}) {broken}{quoted}; allowed:"
            f" {percent(bound) if bound else 'none'}."
        )
        if status is Status.INCONCLUSIVE:
            design = share.rows / share.effective if share.effective else 1.0
            rows = rows_for_share(share.value, bound, alpha)
            needed = None if rows is None else round(rows * design)
            reason += (
                f" These rows cannot tell: it may be {percent(interval[0])} to {percent(interval[1])} in the long run."
            )
    return Check(
        name,
        status,
        reason,
        share.value,
        interval if bound else None,
        bound,
        "max",
        share.rows,
        needed,
        code=code,
        subject=subject,
    )
