"""What the label is, and conflicting labels, beside a loop over the rows."""

import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.integrity import checks, examine, statuses
from gauntlet.errors import ConfigurationError
from hypothesis_profiles import examples

ONLY = {"leakage": False}
ROWS = st.lists(
    st.tuples(st.one_of(st.none(), st.integers(0, 2)), st.sampled_from(["p", "q", None]), st.integers(0, 2)),
    min_size=2,
    max_size=40,
)


def table(rows, kind="string"):
    return pa.table(
        {
            "a": pa.array([a for a, _, _ in rows], pa.int64()),
            "b": pa.array([b for _, b, _ in rows], pa.string()),
            "y": pa.array([str(y) if kind == "string" else y for _, _, y in rows], kind),
        }
    )


@examples(40)
@given(rows=ROWS)
def test_conflicts_and_the_ceiling_of_accuracy(rows):
    with tempfile.TemporaryDirectory() as folder:
        found = examine(Path(folder), {"train": table(rows)}, ONLY, roles={"label": "y"}).conflicts
    groups = defaultdict(Counter)
    for a, b, y in rows:
        groups[a, b][y] += 1
    torn = [group for group in groups.values() if len(group) > 1]
    assert found.groups == len(torn)
    assert found.in_conflict == sum(sum(group.values()) for group in torn)
    best = sum(max(group.values()) for group in groups.values())
    assert found.ceiling == pytest.approx(best / len(rows))


@examples(40)
@given(rows=ROWS)
def test_the_ceiling_of_r2_for_a_number(rows):
    with tempfile.TemporaryDirectory() as folder:
        policy = {**ONLY, "task": "regression"}
        found = examine(Path(folder), {"train": table(rows, "double")}, policy, roles={"label": "y"}).conflicts
    y = np.array([y for _, _, y in rows], dtype=float)
    groups = defaultdict(list)
    for a, b, value in rows:
        groups[a, b].append(value)
    within = sum(np.var(group) * len(group) for group in groups.values())
    total = np.var(y) * len(y)
    assert found.ceiling == pytest.approx(1 - within / total if total else 1.0)


def test_conflicts_are_reported_and_fail_where_they_are_bounded(tmp_path):
    rows = {"a": [1, 1, 2, 3], "y": [0, 1, 0, 1]}
    reported = checks(examine(tmp_path, rows, ONLY, roles={"label": "y"}))["labels: conflicts"]
    assert reported.status == "pass"
    assert reported.measured == 0.5
    assert "2 of 4 rows (50.0%) have a twin with the same features and another `y`" in reported.reason
    assert "`train-00000000 and train-00000001`" in reported.reason
    assert "no model can be right in more than 75.0%" in reported.reason
    bounded = {**ONLY, "conflicts": {"max_share": 0.4}}
    assert statuses(examine(tmp_path, rows, bounded, roles={"label": "y"})) == {"labels: conflicts": "fail"}
    allowed = {**ONLY, "conflicts": {"max_share": 0.6}}
    assert statuses(examine(tmp_path, rows, allowed, roles={"label": "y"})) == {"labels: conflicts": "pass"}


def test_columns_that_are_no_features_make_no_row_different(tmp_path):
    rows = {"a": [1, 1], "id": ["r", "s"], "y": [0, 1]}
    found = examine(tmp_path, rows, ONLY, roles={"label": "y", "key": ["id"]})
    assert found.conflicts.in_conflict == 2


def test_rows_without_any_label_are_an_error(tmp_path):
    rows = {"a": [1, 2], "y": pa.array([None, None], pa.int64())}
    assert statuses(examine(tmp_path, rows, ONLY, roles={"label": "y"})) == {"labels: conflicts": "error"}


@pytest.mark.parametrize(
    ("values", "roles", "policy", "task", "classes"),
    [
        ([0, 1, 1], {}, {}, "binary", (0, 1)),
        ([0, 1, 1], {"positive": 0}, {}, "binary", (1, 0)),
        ([True, False], {"positive": False}, {}, "binary", (True, False)),
        (["no", "yes"], {}, {}, "binary", ("no", "yes")),
        ([0.0, 1.0], {"positive": 1}, {}, "binary", (0.0, 1.0)),
        (["b", "a", "b", "c"], {}, {}, "multiclass", ("b", "a", "c")),
        ([0, 1, 2], {"categorical": ["y"]}, {}, "multiclass", (0, 1, 2)),
        ([0, 1, 2], {}, {}, "regression", ()),
        ([0.5, 1.5], {}, {}, "regression", ()),
        ([0, 1], {}, {"task": "regression"}, "regression", ()),
    ],
)
def test_the_task_is_what_training_would_make_of_it(tmp_path, values, roles, policy, task, classes):
    rows = {"a": list(range(len(values))), "y": values}
    target = examine(tmp_path, rows, {**ONLY, **policy}, roles={"label": "y", **roles}).target
    assert (target.task, target.classes) == (task, classes)


@pytest.mark.parametrize(
    ("values", "task", "message"),
    [
        (["a", "b"], "regression", "label is text"),
        ([1, 2, 3], "binary", "3 values, a binary task has two"),
        (list(range(1500)), "multiclass", "too many for classes"),
    ],
)
def test_a_task_that_does_not_fit_is_refused(tmp_path, values, task, message):
    with pytest.raises(ConfigurationError, match=message):
        examine(tmp_path, {"a": values, "y": values}, {**ONLY, "task": task}, roles={"label": "y"})
