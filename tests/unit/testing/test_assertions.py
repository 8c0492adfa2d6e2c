from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from builders.feature_code import (
    as_text,
    by_batch_mean,
    by_chance,
    by_lookup,
    by_ratio,
    later_applications,
    raw_rows,
    running_total,
    sound,
    with_column,
)
from gauntlet import testing
from gauntlet.errors import ConfigurationError
from gauntlet.testing import (
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


def arrow(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Declared to take an Arrow table."""

    def features(rows: pa.Table) -> pa.Table:  # noqa: F821 - only its text is read
        return function(rows)

    return features


ROWS = raw_rows()
OPTIONS: dict[Callable[..., None], dict[str, Any]] = {assert_point_in_time: {"time": "applied_at"}}
FAULTS = [
    pytest.param(assert_deterministic, by_chance, "The same rows do not give the same features a second", id="chance"),
    pytest.param(
        assert_row_by_row, by_batch_mean, "In a batch of 200 rows, features are not what they are", id="batch"
    ),
    pytest.param(assert_order_free, running_total, "The features depend on the order of the rows", id="order"),
    pytest.param(assert_point_in_time, later_applications, "Later rows change earlier features", id="time"),
    pytest.param(assert_takes_unseen, by_lookup, "'never seen before' in `city` breaks the code", id="unseen"),
    pytest.param(
        assert_takes_nulls,
        lambda rows: [value + 1 for value in rows["term"].to_pylist()],
        "A missing value in `term` breaks the code",
        id="nulls",
    ),
    pytest.param(
        assert_takes_extremes,
        lambda rows: [1 // int(value or 1 if value is None else value) for value in rows["term"].to_pylist()],
        "0 in `term` breaks the code (ZeroDivisionError",
        id="extremes",
    ),
    pytest.param(assert_survives_parquet, as_text, "Rows that pandas wrote and read give other features", id="parquet"),
]


@pytest.mark.parametrize(("assertion", "fault", "words"), FAULTS)
def test_each_assertion_fails_on_its_fault_and_passes_on_sound_code(
    assertion: Callable[..., None], fault: Callable[[Any], Any], words: str
) -> None:
    options = OPTIONS.get(assertion, {})
    assertion(arrow(sound), ROWS, **options)
    with pytest.raises(AssertionError, match=f"^features: {re.escape(words)}"):
        assertion(arrow(with_column("faulty", fault)), ROWS, **options)
    assert any(mark.values[0] is assertion for mark in FAULTS)


def test_everything_at_once_says_each_that_fails() -> None:
    assert_features(arrow(sound), ROWS, time="applied_at", key=["id"], label="repaid", categorical=["product"])
    with pytest.raises(AssertionError) as caught:
        assert_features(arrow(with_column("faulty", by_batch_mean)), ROWS, time="applied_at")
    lines = str(caught.value).splitlines()
    assert lines[0] == "features: 2 of 8 properties do not hold"
    assert [line.partition(":")[0] for line in lines[1:]] == ["  - one row at a time", "  - point in time"]


def test_a_data_frame_is_as_good_as_a_table() -> None:
    def build(rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"income": rows["income"], "city": rows["city"].str.upper()})

    def centred(rows: pd.DataFrame) -> pd.DataFrame:
        return build(rows).assign(income=rows["income"] - rows["income"].median())

    frame = ROWS.to_pandas()
    assert_features(build, frame, time="applied_at")
    with pytest.raises(AssertionError, match="centred: In a batch of 200 rows"):
        assert_row_by_row(centred, frame)


def test_a_policy_is_given_as_keywords() -> None:
    features = arrow(with_column("ratio", by_ratio))
    assert_takes_extremes(features, ROWS)
    with pytest.raises(AssertionError, match="0 in `term` makes `ratio` infinite"):
        assert_takes_extremes(features, ROWS, forbid_infinite=True)
    with pytest.raises(ConfigurationError, match=r"policy.forbid_infinit: unknown key"):
        assert_takes_extremes(features, ROWS, forbid_infinit=True)
    with pytest.raises(AssertionError, match="leaves `term` without a value, and it is required"):
        assert_takes_nulls(arrow(sound), ROWS, required=["term"])
    assert_row_by_row(arrow(with_column("faulty", by_batch_mean)), ROWS, absolute_tolerance=10.0)


def test_what_the_rows_cannot_show_does_not_pass() -> None:
    with pytest.raises(AssertionError, match=r"Could not be tried: a single row cannot show it. Give more rows."):
        assert_row_by_row(arrow(sound), raw_rows(1))
    with pytest.raises(AssertionError, match="there are no rows to try it on"):
        assert_features(arrow(sound), raw_rows(1).slice(0, 0))


def test_a_misspelt_property_or_time_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"only: no such property; found 'rows'. Use some of: determinism"):
        assert_features(arrow(sound), ROWS, only=["rows"])
    with pytest.raises(ConfigurationError, match="time: no such column in the rows; found 'when'"):
        assert_point_in_time(arrow(sound), ROWS, time="when")


def test_the_label_is_kept_from_the_code() -> None:
    def peeking(rows: pd.DataFrame) -> pd.DataFrame:
        return rows[["repaid"]]

    with pytest.raises(AssertionError, match="KeyError"):
        assert_features(peeking, ROWS, label="repaid")


def test_code_that_can_be_imported_is_tried_in_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = "return pd.DataFrame({'bucket': [hash(city) % 97 for city in rows['city']]})"
    (tmp_path / "hashed_features.py").write_text(f"import pandas as pd\n\ndef build(rows):\n    {body}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("hashed_features", None)
    with pytest.raises(AssertionError, match="do not give the same features in another process: `bucket` differs"):
        assert_deterministic("hashed_features:build", ROWS)
    with pytest.raises(AssertionError, match="in another process"):
        assert_deterministic(sys.modules["hashed_features"].build, ROWS)


def test_the_public_names_are_these() -> None:
    assert testing.__all__ == sorted(testing.__all__)
    assert {name for name in vars(testing) if name.startswith("assert_")} == set(testing.__all__)
