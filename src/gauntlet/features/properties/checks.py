"""Tests every property of feature code on a sample of rows: one check per property."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from gauntlet.data.roles import Roles
from gauntlet.features.properties import wording
from gauntlet.features.properties.calling import Compute, Failure, Features, attempt
from gauntlet.features.properties.policy import PropertiesPolicy, Property
from gauntlet.features.properties.trial import Trial, spread
from gauntlet.verdict import Check, Status

if TYPE_CHECKING:
    import pyarrow as pa


def check_properties(
    features: Features,
    rows: pa.Table,
    policy: PropertiesPolicy,
    *,
    roles: Roles | None = None,
    required: Collection[str] = (),
    fresh: Compute | None = None,
    only: Collection[Property] = tuple(Property),
) -> tuple[Check, ...]:
    """Test the properties of feature code on a sample.

    Args:
        features: a transform.
        rows: a sample of raw rows, in any number: what is read of it is bounded by the policy.
        policy: sizes, tolerances, and what is left out.
        roles: what the columns are for; without ``time`` nothing is later, integer codes can be unseen.
        required: features that may never be missing.
        fresh: the same code in a process of its own (``fresh.FreshProcess``), where there is one.
        only: the properties to test; all by default.

    Returns:
        One check a property, in their order: PASS, FAIL with what differs and by how much, or INCONCLUSIVE where the
        sample cannot show it; none for point in time where no column of times is declared. A single ERROR when the code
        gives no features for the sample as it is.
    """
    sample = spread(rows, policy.rows)
    if not sample.num_rows:
        return (_error("there are no rows to try it on"),)
    first = attempt(features, sample)
    if isinstance(first, Failure):
        return (_error(f"on {sample.num_rows:,} rows as they are, {features.name} {wording.failed(first)}"),)
    trial = Trial(features, sample, first, policy, roles or Roles.model_validate({}), frozenset(required), fresh)
    trial.repeat()
    properties = set(only) if trial.roles.time else set(only) - {Property.POINT_IN_TIME}
    return tuple(trial.check(property_) for property_ in Property if property_ in properties)


def _error(why: str) -> Check:
    reason = f"The properties of the features could not be checked: {why}."
    return Check("properties", Status.ERROR, reason, code="check_features.property")
