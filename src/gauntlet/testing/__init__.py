"""Assertions for feature code in a team's own unit tests: the checks of the pipeline's gates, before any run.

    from gauntlet.testing import assert_features

    def test_features():
        assert_features(build, "tests/loans.parquet", time="applied_at")

A failing assertion has the message of the gate. The functions raise ``AssertionError`` and do not need pytest;
``gauntlet.testing.plugin`` offers them as pytest fixtures; ``docs/testing.md`` shows both.

This module imports only the standard library; an assertion imports its dependencies when it is called.
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
