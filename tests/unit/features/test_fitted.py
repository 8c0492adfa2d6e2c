"""The two halves of a team's own pipeline, and what its features are called."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
from sklearn.compose import ColumnTransformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from builders.features import log_pipeline
from gauntlet.features.fitted import open_fitted
from snapshots import write_snapshot


def test_features_are_called_after_columns_whatever_columns_are_called(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    numbers, site = ["wind__max", "max", "__", "temp (C)"], "site__id"
    rows = pa.table({name: rng.normal(size=60) for name in numbers} | {site: ["a", "b_c", "a__b"] * 20})
    labels = rng.integers(0, 2, 60)
    steps = ColumnTransformer(
        [("numbers", StandardScaler(), numbers), ("codes", OneHotEncoder(sparse_output=False), [site])]
    )
    pipeline = Pipeline([("encode", steps), ("model", LogisticRegression())]).fit(rows.to_pandas(), labels)
    log_pipeline(tmp_path / "model", pipeline, [*numbers, site])
    snapshot = write_snapshot(tmp_path / "rows", {"train": rows})
    with open_fitted(tmp_path / "model", snapshot) as model:
        features = model.transform(rows)
        assert features.column_names == [*numbers, "site__id_a", "site__id_a__b", "site__id_b_c"]
        np.testing.assert_allclose(model.score_features(features), pipeline.predict_proba(rows.to_pandas()))
