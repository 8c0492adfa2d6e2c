"""One column, before and after: its distance, its missing values, its unseen categories, each held against a limit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gauntlet.data.comparators import Pair
from gauntlet.data.movement import describe_movement
from gauntlet.data.noise import Noise, noise_of
from gauntlet.data.noise_planning import rows_for_distance
from gauntlet.data.phrasing import amount, quoted, share
from gauntlet.data.profile import Profile
from gauntlet.data.schema_inference import tolerated_unseen
from gauntlet.data.skew_policy import Limits
from gauntlet.stats.planning import rows_for_difference, rows_for_share
from gauntlet.stats.proportions import clopper_pearson, difference_of_shares
from gauntlet.verdict import Check, Status, decide, worst

Against = Literal["serving", "previous"]
"""What training is held against."""


@dataclass(frozen=True)
class Comparison:
    """What was found about one column.

    Attributes:
        column: its name.
        against: ``serving`` or ``previous``.
        names: what the two sides are called.
        before, after: the two sides; ``None`` where the column is not there.
        checks: distance first.
    """

    column: str
    against: Against
    names: tuple[str, str]
    before: Profile | None
    after: Profile | None
    checks: tuple[Check, ...]

    @property
    def status(self) -> Status:
        """The worst of its checks."""
        return worst(check.status for check in self.checks)


@dataclass(frozen=True)
class _Sides:
    """The two sides of one column, both there, and how to speak of them."""

    name: str
    before: Profile
    after: Profile
    against: Against
    names: tuple[str, str]

    @property
    def rows(self) -> int:
        """Rows of the smaller side with a value: what a distance rests on."""
        return min(self.before.present, self.after.present)


def compare_column(
    name: str,
    before: Profile | None,
    after: Profile | None,
    *,
    against: Against,
    names: tuple[str, str],
    distance: float | None,
    limits: Limits,
    alpha: float,
    replicates: int,
    rng: np.random.Generator,
    new: bool = False,
) -> Comparison:
    """Compare one column.

    Args:
        name: the column.
        before, after: its two sides; ``None`` where it is not there.
        against, names: what the sides are called.
        distance: what TFDV's comparator measured; ``None`` when it measured nothing.
        limits: how far it may move.
        alpha: 1 − confidence for this column alone.
        replicates, rng: for the simulation of noise.
        new: it may be absent on the side before, and nobody asked for the comparison by name.
    """
    checks: tuple[Check, ...]
    if before is None and after is not None and new:
        reason = f"`{name}` is new: {names[0]} does not have it, so it cannot have moved yet."
        code = f"detect_skew.{against}.distribution"
        checks = (Check(f"{against}: {name}, distribution", Status.INCONCLUSIVE, reason, code=code, subject=name),)
    elif before is None or after is None:
        where = [side for side, profile in zip(names, (before, after), strict=True) if profile is None]
        checks = (_error(against, name, f"`{name}` is not in {' nor in '.join(where)}, so it was not compared."),)
    else:
        sides = _Sides(name, before, after, against, names)
        checks = (
            _distance_check(sides, distance, limits, alpha, replicates, rng),
            _missing_check(sides, limits.missing, alpha),
            *_unseen_check(sides, limits.unseen, alpha),
        )
        if limits.unusable:
            checks = (*checks, _error(against, name, f"`{name}`: {limits.unusable}. Correct the schema.", "configured"))
    return Comparison(name, against, names, before, after, checks)


def _error(
    against: Against, name: str, reason: str, what: Literal["distribution", "configured"] = "distribution"
) -> Check:
    code = f"detect_skew.{against}.{what}"
    return Check(f"{against}: {name}, {what}", Status.ERROR, reason, code=code, subject=name)


def _distance_check(
    sides: _Sides, distance: float | None, limits: Limits, alpha: float, replicates: int, rng: np.random.Generator
) -> Check:
    name, before, after = sides.name, sides.before, sides.after
    if not before.present or not after.present:
        return _empty_check(sides)
    if before.categorical != after.categorical:
        kinds = [f"{'categories' if p.categorical else 'numbers'} in {side}" for p, side in _named(sides)]
        return _error(sides.against, name, f"`{name}` holds {' but '.join(kinds)}, so it was not compared.")
    if distance is None:
        return _error(sides.against, name, f"`{name}` was to be compared, but TFDV measured nothing.")
    pair = Pair(before, after)
    noise = noise_of(pair, distance, alpha=alpha, replicates=replicates, rng=rng)
    status = _decide(noise, limits.distance)
    needed = None
    if status is Status.INCONCLUSIVE:
        seed = int(rng.integers(2**31))
        needed = rows_for_distance(pair, distance, noise, limit=limits.distance, alpha=alpha, seed=seed)
    measure = "Largest change of a category's share" if before.categorical else "Jensen–Shannon divergence"
    numbers = (
        f"{measure} {amount(distance)} (interval {amount(noise.interval[0])} to {amount(noise.interval[1])}),"
        f" allowed {amount(limits.distance)}; chance alone reaches {amount(noise.floor)} with so many independent rows"
    )
    movement = describe_movement(before, after)
    verb = {
        Status.PASS: "is distributed as before" if distance <= noise.floor else "moved within the limit",
        Status.FAIL: "moved",
        Status.INCONCLUSIVE: "may have moved",
    }[status]
    return Check(
        name=f"{sides.against}: {name}, distribution",
        status=status,
        reason=f"`{name}` {verb}: {movement}, {sides.names[0]} → {sides.names[1]}. {numbers}.",
        measured=distance,
        interval=noise.interval,
        bound=limits.distance,
        direction="max",
        sample_size=sides.rows,
        rows_needed=needed,
        code=f"detect_skew.{sides.against}.distribution",
        subject=name,
    )


def _decide(noise: Noise, limit: float) -> Status:
    """A limit below the noise cannot be held by these rows, whatever was measured, unless the interval is beyond it."""
    status = decide(noise.interval, bound=limit, direction="max")
    return Status.INCONCLUSIVE if status is Status.PASS and noise.floor > limit else status


def _empty_check(sides: _Sides) -> Check:
    name = sides.name
    check_name = f"{sides.against}: {name}, distribution"
    code = f"detect_skew.{sides.against}.distribution"
    if not sides.before.present and not sides.after.present:
        reason = f"`{name}` has no value on either side: there is nothing to compare."
        return Check(check_name, Status.PASS, reason, code=code, subject=name)
    empty = [side for profile, side in _named(sides) if not profile.present]
    reason = f"`{name}` has no value at all in {empty[0]}."
    return Check(check_name, Status.FAIL, reason, sample_size=sides.before.rows, code=code, subject=name)


def _missing_check(sides: _Sides, limit: float, alpha: float) -> Check:
    before, after = ((profile.rows - profile.present, profile.rows) for profile, _ in _named(sides))
    shares = [profile.missing_share for profile, _ in _named(sides)]
    low, high = difference_of_shares(before, after, alpha)
    interval = (max(0.0, low, -high), max(abs(low), abs(high)))
    change = abs(shares[1] - shares[0])
    status = decide(interval, bound=limit, direction="max")
    doubt = " These rows cannot tell." if status is Status.INCONCLUSIVE else ""
    said = f"missing in {share(shares[0])} of rows ({sides.names[0]}) → {share(shares[1])} ({sides.names[1]})"
    return Check(
        name=f"{sides.against}: {sides.name}, missing values",
        status=status,
        reason=f"`{sides.name}` is {said}; allowed change: {share(limit)}.{doubt}",
        measured=change,
        interval=interval,
        bound=limit,
        direction="max",
        sample_size=min(before[1], after[1]),
        rows_needed=rows_for_difference(before, shares[1], limit, alpha) if status is Status.INCONCLUSIVE else None,
        code=f"detect_skew.{sides.against}.missing_values",
        subject=sides.name,
    )


def _unseen_check(sides: _Sides, limit: float | None, alpha: float) -> Iterator[Check]:
    """Values of categories that the earlier side lists in full and does not have."""
    before, after = sides.before, sides.after
    if limit is None or not before.categorical or not after.categorical or not before.present or not after.present:
        return
    if before.rest > 0:  # not all categories are known by name; the distance counts the unlisted ones
        return
    known = set(before.values)
    unseen = [value for value in after.values if value not in known]
    rows = sum(after.count_of[value] for value in unseen) + after.rest
    found, interval = rows / after.present, clopper_pearson(rows, after.present, alpha)
    status = decide(interval, bound=limit, direction="max")
    if rows == 0 and limit == 0:
        status = Status.PASS  # a promise about these rows, which keep it
    doubt, needed = "", None
    if status is Status.INCONCLUSIVE:
        doubt, needed = " These rows cannot tell.", rows_for_share(found, limit, alpha)
    elif status is Status.FAIL and interval[0] <= tolerated_unseen(before):
        once = int((before.counts == 1).sum())
        status = Status.INCONCLUSIVE
        doubt = (
            f" But {sides.names[0]} has so few rows ({before.present:,}, of which {once:,} hold a category alone)"
            f" that up to {share(tolerated_unseen(before))} is no surprise."
        )
    what = (
        f"has no category that {sides.names[0]} does not have"
        if not rows
        else f"has {quoted(unseen)} in {share(found)} of values ({sides.names[1]}), never seen in {sides.names[0]}"
    )
    yield Check(
        name=f"{sides.against}: {sides.name}, unseen categories",
        status=status,
        reason=f"`{sides.name}` {what}; allowed: {share(limit)}.{doubt}",
        measured=found,
        interval=interval,
        bound=limit,
        direction="max",
        sample_size=after.present,
        rows_needed=needed,
        code=f"detect_skew.{sides.against}.unseen_categories",
        subject=sides.name,
    )


def _named(sides: _Sides) -> tuple[tuple[Profile, str], tuple[Profile, str]]:
    return (sides.before, sides.names[0]), (sides.after, sides.names[1])
