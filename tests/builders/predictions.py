"""Predictions folders for tests: written through the real format, from plain arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from gauntlet.evaluation.inputs import Scored
from gauntlet.prediction.format import SCORE_PREFIX, SLICE_PREFIX, Manifest, SeedSpread


def write_predictions(
    folder: Path,
    labels: Sequence[float] | np.ndarray,
    scores: np.ndarray,
    *,
    slices: Mapping[str, Any] | None = None,
    task: str = "binary",
    classes: Sequence[str] | None = None,
    weights: np.ndarray | None = None,
    clusters: Sequence[str] | None = None,
    seed_spread: Mapping[str, SeedSpread] | None = None,
    example_ids: Sequence[str] | None = None,
    snapshot: str = "sha256:" + "a" * 64,
    split: str = "test",
    model: str = "sha256:" + "b" * 64,
    without: Sequence[str] = (),
    names: Mapping[str, Mapping[str, str]] | None = None,
    class_names: Mapping[str, str] | None = None,
) -> Path:
    """Write a folder as ``batch_predict`` does and return it; ``without`` leaves columns out, to break it."""
    folder.mkdir(parents=True)
    labels = np.asarray(labels, float)
    n = len(labels)
    slices = slices or {}
    if classes is None:
        classes = {"binary": ("no", "yes"), "regression": ()}.get(task) or tuple("abcdefgh"[: scores.shape[-1]])
    if task == "regression":
        classes = ()
    columns: dict[str, Any] = {
        "example_id": pa.array(example_ids if example_ids is not None else [f"row-{i}" for i in range(n)]),
        "label": pa.array(labels, pa.float64() if task == "regression" or np.isnan(labels).any() else pa.int32()),
        "weight": pa.array(np.ones(n) if weights is None else weights),
    }
    if task == "multiclass":
        columns |= {SCORE_PREFIX + name: pa.array(scores[:, k]) for k, name in enumerate(classes)}
    else:
        columns["score"] = pa.array(scores)
    if clusters is not None:
        columns["cluster"] = pa.array(list(clusters))
    columns |= {SLICE_PREFIX + name: pa.array(values) for name, values in slices.items()}
    pq.write_table(
        pa.table({name: column for name, column in columns.items() if name not in without}),
        folder / "part-00000.parquet",
    )
    Manifest(
        task=task,  # type: ignore[arg-type]
        classes=tuple(classes),
        rows=n,
        slice_columns=tuple(slices),
        clustered=clusters is not None,
        snapshot=snapshot,
        split=split,
        model=model,
        seed_spread=dict(seed_spread or {}),
        names=names or {},
        class_names=class_names or {},
    ).write(folder)
    return folder


def scored(
    labels: np.ndarray,
    scores: np.ndarray,
    *,
    slices: Mapping[str, Any] | None = None,
    task: str = "binary",
    classes: Sequence[str] = ("no", "yes"),
    weights: np.ndarray | None = None,
    clusters: np.ndarray | None = None,
) -> Scored:
    """The same in memory, as ``read_predictions`` returns it."""
    columns = {name: pa.chunked_array([pa.array(values)]) for name, values in (slices or {}).items()}
    n = len(labels)
    manifest = Manifest(
        task=task,  # type: ignore[arg-type]
        classes=tuple(classes),
        rows=n,
        slice_columns=tuple(columns),
        clustered=clusters is not None,
        snapshot="sha256:" + "a" * 64,
        split="test",
        model="sha256:" + "b" * 64,
    )
    ids = pa.chunked_array([pa.array(np.arange(n).astype(str))])
    return Scored(manifest, ids, np.asarray(labels, float), np.asarray(scores, float), weights, clusters, columns)
