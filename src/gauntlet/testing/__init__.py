"""The checks of the pipeline as assertions for a team's own unit tests: they fail before any pipeline runs.

    from gauntlet.testing import assert_features

    def test_features():
        assert_features(build, "tests/loans.parquet", time="applied_at")

A failing assertion says what the gate would have said. Nothing here needs pytest: these are functions that raise
``AssertionError``. ``gauntlet.testing.plugin`` adds the same as pytest fixtures; ``docs/testing.md`` shows both.

This module imports nothing but the standard library: whatever an assertion needs, it imports when it is called.
"""

from gauntlet.testing.assertions import (
    assert_deterministic,
    assert_features,
    assert_order_free,
    assert_point_in_time,
    assert_row_by_row,
    assert_survives_parquet,
    assert_takes_extremes,
    assert_takes_nulls,
    assert_takes_unseen,
)
from gauntlet.testing.learning import assert_learns
from gauntlet.testing.stored import assert_matches_stored, assert_same_features

__all__ = [
    "assert_deterministic",
    "assert_features",
    "assert_learns",
    "assert_matches_stored",
    "assert_order_free",
    "assert_point_in_time",
    "assert_row_by_row",
    "assert_same_features",
    "assert_survives_parquet",
    "assert_takes_extremes",
    "assert_takes_nulls",
    "assert_takes_unseen",
]
