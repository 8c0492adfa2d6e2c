"""Tests each property of feature code on one sample of rows, and makes a check of each result."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gauntlet.data.phrasing import counted
from gauntlet.data.roles import Roles
from gauntlet.features.properties import hostile, parquet, repeating, wording
from gauntlet.features.properties.calling import Compute, Failure, Features, attempt
from gauntlet.features.properties.comparing import Tolerance
from gauntlet.features.properties.hostile import Mishap, Rules
from gauntlet.features.properties.policy import PropertiesPolicy, Property
from gauntlet.features.properties.repeating import Repetition
from gauntlet.verdict import Check, Status

if TYPE_CHECKING:
    import pyarrow as pa

NAMES = {
    Property.DETERMINISM: "determinism",
    Property.ONE_ROW: "one row at a time",
    Property.ORDER: "order of rows",
    Property.POINT_IN_TIME: "point in time",
    Property.UNSEEN: "unseen categories",
    Property.NULLS: "missing values",
    Property.EXTREMES: "zero, huge and infinite values",
    Property.PARQUET: "Parquet round trip",
}
"""Property → name of its check."""


def spread(rows: pa.Table, most: int) -> pa.Table:
    """Take at most ``most`` rows, evenly spread and in their order."""
    import numpy as np
    import pyarrow as pa

    if rows.num_rows <= most:
        return rows.combine_chunks()
    return rows.take(pa.array(np.linspace(0, rows.num_rows - 1, most).astype(np.int64))).combine_chunks()


@dataclass
class Trial:
    """Test of one sample. Features that failed an earlier property are not reported again by a later one."""

    features: Features
    rows: pa.Table
    first: pa.Table
    policy: PropertiesPolicy
    roles: Roles
    required: frozenset[str]
    fresh: Compute | None
    repeated: Repetition = field(init=False)
    unsteady: set[str] = field(default_factory=set)
    alone: Repetition | None = None

    @property
    def tolerance(self) -> Tolerance:
        """Tolerance for numbers, from the policy."""
        return Tolerance(self.policy.relative_tolerance, self.policy.absolute_tolerance)

    def check(self, property_: Property) -> Check:
        """Test one property, unless the policy leaves it out."""
        if property_ in self.policy.leave_out:
            return self._check(property_, Status.NOT_ASKED, "Not asked for: the policy leaves it out.")
        return getattr(self, f"_{property_.value}")()  # type: ignore[no-any-return]  # one method a property, below

    def repeat(self) -> None:
        """Compute the sample again; features that differ even then are reported under determinism alone."""
        self.repeated = repeating.again(self.features, self.rows, self.first, self.tolerance, "a second time")
        self.unsteady |= {difference.feature for difference in self.repeated.differences}

    def _determinism(self) -> Check:
        repetitions = [self.repeated]
        if self.fresh is not None:
            repetitions.append(repeating.again(self.fresh, self.rows, self.first, self.tolerance, "in another process"))
        broken = next((repetition for repetition in repetitions if not repetition.holds), None)
        where = "twice, and in another process," if self.fresh is not None else "twice"
        if broken is None:
            held = f"{self._rows()} computed {where} gave the same features."
            return self._check(Property.DETERMINISM, Status.PASS, held)
        return self._broken(
            Property.DETERMINISM,
            broken,
            f"The same rows do not give the same features {broken.where}: {wording.repetition(broken)}.",
            "Take chance, clocks, hash() and anything remembered between calls out of the code.",
        )

    def _one_row(self) -> Check:
        if self.rows.num_rows < 2:
            return self._too_few(Property.ONE_ROW)
        repetition = self._alone()
        if repetition.holds:
            held = f"{repetition.rows:,} rows computed one at a time have the features they have in a batch."
            return self._check(Property.ONE_ROW, Status.PASS, held)
        if repetition.failure:
            sentence = f"Computing a row alone ({repetition.where}) {wording.failed(repetition.failure)}."
        else:
            sentence = (
                f"In a batch of {self.rows.num_rows:,} rows, features are not what they are for the same row alone:"
                f" {wording.differences(repetition.differences)}."
            )
        return self._broken(
            Property.ONE_ROW,
            repetition,
            sentence,
            "They are computed from the other rows of the batch, which at serving are other rows: fit such statistics"
            " in training and keep them with the transform.",
        )

    def _alone(self) -> Repetition:
        import numpy as np

        if self.alone is None:
            count = min(self.rows.num_rows, self.policy.single_rows)
            positions = np.linspace(0, self.rows.num_rows - 1, count).astype(np.int64)
            repetition = repeating.one_at_a_time(self.features, self.rows, self.first, positions, self.tolerance)
            self.alone = self._steady(repetition)
        return self.alone

    def _depend_on_others(self) -> frozenset[str]:
        """Features that depend, or may depend, on other rows of the batch."""
        if Property.ONE_ROW in self.policy.leave_out or self._alone().failure:
            return frozenset(self.first.column_names)
        return frozenset(self.unsteady | {difference.feature for difference in self._alone().differences})

    def _order(self) -> Check:
        if self.rows.num_rows < 2:
            return self._too_few(Property.ORDER)
        seed = self.policy.seed
        repetition = self._steady(repeating.permuted(self.features, self.rows, self.first, seed, self.tolerance))
        if repetition.holds:
            return self._check(Property.ORDER, Status.PASS, f"{self._rows()} in any order have the same features.")
        return self._broken(
            Property.ORDER,
            repetition,
            f"The features depend on the order of the rows: {repetition.where}, {wording.repetition(repetition)}.",
            "Sort by key and time inside the code, or do not look at neighbouring rows.",
        )

    def _point_in_time(self) -> Check:
        time = str(self.roles.time)
        if time not in self.rows.column_names:
            why = f"the rows have no `{time}` (roles.time)"
            return self._check(Property.POINT_IN_TIME, Status.INCONCLUSIVE, f"Could not be tried: {why}.")
        times = self.rows.column(time).combine_chunks()
        tried = repeating.without_later(self.features, self.rows, self.first, times, self.policy.cuts, self.tolerance)
        if not tried:
            return self._too_few(Property.POINT_IN_TIME, f"`{time}` has fewer than two different values")
        broken = next((repetition for repetition in map(self._steady, tried) if not repetition.holds), None)
        if broken is None:
            held = f"Rows are what they were without the rows after them, at {len(tried)} points in time."
            return self._check(Property.POINT_IN_TIME, Status.PASS, held)
        return self._broken(
            Property.POINT_IN_TIME,
            broken,
            f"Later rows change earlier features: without the rows {broken.where}, {wording.repetition(broken)}.",
            "In training they see a future that serving does not have: use what was known at the row's time alone.",
        )

    def _unseen(self) -> Check:
        codes = set(self.roles.categorical)
        return self._hostile(
            Property.UNSEEN,
            {name: hostile.unseen_values(self.rows.column(name), name in codes) for name in self._columns()},
            "a category nobody saw",
        )

    def _nulls(self) -> Check:
        values = {name: hostile.missing_value(self.rows.column(name)) for name in self._columns()}
        return self._hostile(Property.NULLS, values, "a missing value", at_once=True)

    def _extremes(self) -> Check:
        codes = set(self.roles.categorical)
        values = {name: hostile.extreme_values(self.rows.column(name)) for name in self._columns() if name not in codes}
        return self._hostile(Property.EXTREMES, values, "zero, ±1e18 or infinity")

    def _parquet(self) -> Check:
        stored = self._steady(parquet.through_parquet(self.first))
        if not stored.holds:
            return self._broken(
                Property.PARQUET,
                stored,
                f"Features written to Parquet do not come back as they were: {wording.repetition(stored)}.",
                "Give integers, real numbers, text, booleans or UTC times in microseconds.",
            )
        repetition = self._steady(parquet.from_stored_rows(self.features, self.rows, self.first, self.tolerance))
        if not repetition.holds:
            return self._broken(
                Property.PARQUET,
                repetition,
                f"Rows that pandas wrote and read give other features: {wording.repetition(repetition)}.",
                "An integer column with a missing value comes back as real numbers: convert codes before making text.",
            )
        held = "Features come back from Parquet as they were, and rows that pandas read give the same."
        return self._check(Property.PARQUET, Status.PASS, held)

    def _hostile(
        self, property_: Property, values: dict[str, tuple[hostile.Value, ...]], what: str, *, at_once: bool = False
    ) -> Check:
        if self.rows.num_rows < 2:
            return self._too_few(property_)
        tried = [name for name in values if values[name]][: self.policy.hostile_columns]
        if not tried:
            return self._check(property_, Status.NOT_ASKED, f"No column can hold {what}: there was nothing to try.")
        rows = spread(self.rows, self.policy.hostile_rows)
        first = attempt(self.features, rows)
        if isinstance(first, Failure):
            return self._check(property_, Status.ERROR, f"A batch of {rows.num_rows:,} rows {wording.failed(first)}.")
        rules = Rules(self.tolerance, self.required, self.policy.forbid_infinite)
        mishaps = [
            mishap
            for name in tried
            for mishap in hostile.spoil(self.features, rows, first, [name], values[name], rules)
        ]
        if at_once and len(tried) > 1:
            mishaps += hostile.spoil(self.features, rows, first, tried, values[tried[0]], rules)
        if any(mishap.what == "others" for mishap in mishaps):  # where other rows count anyway, that is not said again
            known = self._depend_on_others()
            mishaps = [mishap for mishap in mishaps if mishap.what != "others" or mishap.feature not in known]
        return self._judged(property_, mishaps, tried, what)

    def _judged(self, property_: Property, mishaps: list[Mishap], tried: list[str], what: str) -> Check:
        tolerated = {"refused"} if property_ in self.policy.may_refuse else set()
        tolerated |= set() if self.policy.forbid_infinite else {"infinite"}
        faults = [mishap for mishap in mishaps if mishap.what not in tolerated]
        if faults:
            sentence = wording.mishaps(faults)
            mend = "Decide what such a value means, and give it in training as in serving."
            reason = f"{sentence[0].upper()}{sentence[1:]}. {mend}"
            return self._check(property_, Status.FAIL, reason, measured=len(faults))
        held = (
            f"With {what} in each of {counted(len(tried), 'column')}, nothing breaks and other rows stay as they were."
        )
        if mishaps:
            held += f" Tolerated: {wording.mishaps(mishaps)}."
        return self._check(property_, Status.PASS, held, measured=0.0)

    def _columns(self) -> Iterator[str]:
        """Columns to put adverse values into: those the code reads, or all that may be features."""
        read = self.features.inputs
        for name in self.rows.column_names:
            if name in read if read is not None else name not in self.roles.not_features:
                yield name

    def _steady(self, repetition: Repetition) -> Repetition:
        """Drop the features that are not deterministic."""
        kept = tuple(difference for difference in repetition.differences if difference.feature not in self.unsteady)
        return Repetition(kept, repetition.failure, repetition.rows, repetition.where)

    def _rows(self) -> str:
        return counted(self.rows.num_rows, "row")

    def _too_few(self, property_: Property, why: str = "a single row cannot show it") -> Check:
        return self._check(property_, Status.INCONCLUSIVE, f"Could not be tried: {why}. Give more rows.", rows_needed=2)

    def _broken(self, property_: Property, repetition: Repetition, sentence: str, mend: str) -> Check:
        largest = max((difference.share for difference in repetition.differences), default=1.0)
        return self._check(property_, Status.FAIL, f"{sentence} {mend}", measured=largest)

    def _check(
        self,
        property_: Property,
        status: Status,
        reason: str,
        *,
        measured: float | None = None,
        rows_needed: int | None = None,
    ) -> Check:
        bound = None if measured is None else 0.0
        return Check(
            NAMES[property_],
            status,
            reason,
            measured=measured,
            bound=bound,
            direction=None if bound is None else "max",
            sample_size=self.rows.num_rows,
            rows_needed=rows_needed,
            code=f"check_features.property.{property_.value}",
        )
