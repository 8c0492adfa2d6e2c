"""Assertions for feature code in a team's own unit tests: the checks of the pipeline's gates, before any run.

Start with ``assert_features``, which asks for every property that feature code should have; each property also has an
assertion of its own. ``assert_matches_stored`` holds code against stored features, ``assert_learns`` a training loop.

>>> from gauntlet.testing import assert_features
>>> def build(rows):
...     income = (rows["income"] - rows["income"].mean()) / rows["income"].std()
...     return rows[["amount"]].assign(income=income)
>>> loans = {"income": [1200.0, 2500.0, 3100.0, 900.0], "amount": [500.0, 750.0, None, 300.0]}
>>> assert_features(build, loans)
Traceback (most recent call last):
  ...
AssertionError: build: 1 of 7 properties do not hold
  - one row at a time: In a batch of 4 rows, features are not what they are for the same row alone: `income` differs in
    100% of rows (all of them missing on one side only) (−0.693, then missing). They are computed from the other rows of
    the batch, which at serving are other rows: fit such statistics in training and keep them with the transform.
>>> def build(rows):
...     return rows[["amount"]].assign(income=(rows["income"] - 1950) / 600)  # constants fitted in training
>>> assert_features(build, loans)

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
