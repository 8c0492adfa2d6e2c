"""A model of each task with every kind of column, trained once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from builders.served_models import train_one

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")


@pytest.fixture(scope="session")
def model_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """``model_of("binary")``: a model folder as ``train_model`` writes it."""
    known: dict[str, Path] = {}

    def build(task: str) -> Path:
        if task not in known:
            known[task] = train_one(task, tmp_path_factory.mktemp(task))
        return known[task]

    return build
