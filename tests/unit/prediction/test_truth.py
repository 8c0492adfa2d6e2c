from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from builders.training import ROLES, make_table
from gauntlet.errors import DataError
from gauntlet.prediction.truth import cluster_codes, read_truth
from gauntlet.training.target import Target
from snapshots import write_snapshot

TARGET = Target("outcome", "binary", ("late", "paid"))


def test_labels_weights_and_clusters_in_the_split_s_order(tmp_path: Path) -> None:
    table = make_table(30, 0)
    truth = read_truth(write_snapshot(tmp_path, {"test": table}, ROLES, rows_per_part=7), "test", TARGET)
    assert truth.rows == 30
    assert truth.labels.tolist() == [float(value == "paid") for value in table["outcome"].to_pylist()]
    assert truth.weights is not None
    assert truth.weights.tolist() == table["weight"].to_pylist()
    people = np.array(table["person"].to_pylist())
    assert truth.clusters is not None
    assert all((truth.clusters == truth.clusters[i]).tolist() == (people == people[i]).tolist() for i in range(30))


def test_without_roles_there_are_none(tmp_path: Path) -> None:
    snapshot = write_snapshot(tmp_path, {"test": make_table(30, 0)}, {"label": "outcome"})
    truth = read_truth(snapshot, "test", TARGET)
    assert truth.weights is None
    assert truth.clusters is None


def test_a_row_that_belongs_to_no_cluster_is_an_error(tmp_path: Path) -> None:
    table = make_table(5, 0)
    table = table.set_column(table.schema.get_field_index("person"), "person", pa.array([1, None, 2, 2, 3]))
    with pytest.raises(DataError, match="1 rows have no cluster"):
        cluster_codes(write_snapshot(tmp_path, {"test": table}, ROLES), "test")
