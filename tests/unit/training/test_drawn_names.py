"""No drawn name changes a score: from a recipe to the server's answer to a request."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given

from builders.drawn_names import FEATURES, LABEL, NUMBERS, PLAIN, SITE, roles, rows, tables
from builders.training import recipe_of
from gauntlet.data.contract import Column, Contract
from gauntlet.prediction.batch import predict_split
from gauntlet.prediction.format import read_rows
from gauntlet.serving import protocol_v1
from gauntlet.serving.loading import open_served
from gauntlet.training import bundle
from gauntlet.training.trainer import train
from hypothesis_profiles import examples
from snapshots import write_snapshot


def scores(called: Sequence[str]) -> tuple[list[float], list[float]]:
    """Scores of the test split: in batch, and as served."""
    table = pa.table(dict(zip(called, rows(300), strict=True)))
    splits = {"train": table.slice(0, 150), "validation": table.slice(150, 75), "test": table.slice(225)}
    text = {name for name in called if table.schema.field(name).type == pa.string()}
    named = [called[column] for column in FEATURES]
    contract = Contract.of(
        [
            Column(name, "string" if name in text else "float", name in text, serving=name in named)
            if table.schema.field(name).type != pa.int64()
            else Column(name, "int", serving=False)
            for name in called
        ]
    )
    recipe = recipe_of(parameters={"n_estimators": 5, "max_depth": 3}, monotone={called[NUMBERS[0]]: 1})
    with tempfile.TemporaryDirectory() as folder:
        snapshot = write_snapshot(Path(folder) / "snapshot", splits, roles(called))
        fitted = train(snapshot, contract, recipe, device="cpu")
        assert set(fitted.importance) <= set(named)
        digest = bundle.save(fitted, Path(folder) / "model", contract_digest="sha256:c")
        predict_split(Path(folder) / "model", snapshot, Path(folder) / "p", slice_columns=[called[SITE]])
        asked = {"inputs": {name: splits["test"].column(name).to_pylist() for name in named}}
        with open_served(Path(folder) / "model", digest) as served:
            answer = served.answer(protocol_v1.parse(asked, served.contract)).columns[1].tolist()
        written = read_rows(Path(folder) / "p")
        assert written.column(f"slice:{called[SITE]}").equals(splits["test"].column(called[SITE]))
        assert written.column("label").to_pylist() == splits["test"].column(called[LABEL]).to_pylist()
        return written.column("score").to_pylist(), answer


@pytest.fixture(scope="module")
def plain() -> list[float]:
    return scores(PLAIN)[0]


@examples(3)
@given(called=tables())
def test_a_drawn_name_changes_no_score(plain: list[float], called: list[str]) -> None:
    batch, served = scores(called)
    assert batch == plain
    np.testing.assert_allclose(served, batch, atol=1e-7)
