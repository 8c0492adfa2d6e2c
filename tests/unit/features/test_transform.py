from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gauntlet.errors import ConfigurationError, DataError
from gauntlet.features.transform import Transform, identity, open_transform, transform_of

CODE = """
import pandas as pd
import pyarrow as pa


def doubled(rows: pd.DataFrame):
    return pd.DataFrame({"double": rows["x"] * 2, "city": rows["city"].astype("category")})


def over_arrow(rows: pa.Table):
    return rows.select(["x"])


def over_batches(rows: pa.RecordBatch):
    return rows.select(["city"])


def untyped(rows):
    return rows.sort_values("x")[["x"]]


def shorter(rows):
    return rows.head(2)


def mixed(rows):
    return pd.DataFrame({"mixed": [1, "a"] * (len(rows) // 2)})


def twice(rows):
    return pd.concat([rows[["x"]], rows[["x"]]], axis=1)


def empty(rows):
    return rows[[]]


def nothing(rows):
    return None


def broken(rows):
    return rows["no such column"]


def nested(rows: pa.Table):
    return pa.table({"list": [[1]] * rows.num_rows})


def moody(rows):
    return rows[["x"]] if rows["x"].iloc[0] > 2 else rows[["x", "n"]]


def two_minded(rows):
    return pd.DataFrame({"kind": rows["x"] if rows["x"].iloc[0] > 2 else rows["city"]})


number = 3
"""
ROWS = pa.table({"x": [3.0, None, 1.0, 2.0], "city": ["Bern", None, "Oslo", "Zug"], "n": [1, 2, None, 4]})


@pytest.fixture(scope="module", autouse=True)
def code(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("code")
    (folder / "team_transform.py").write_text(CODE)
    sys.path.insert(0, str(folder))
    yield folder / "team_transform.py"
    sys.path.remove(str(folder))
    sys.modules.pop("team_transform", None)


def features(name: str, rows: pa.Table = ROWS) -> dict[str, list[object]]:
    return open_transform(f"team_transform:{name}")(rows).to_pydict()


def test_frames_tables_and_batches_are_given_as_the_function_declares() -> None:
    assert features("doubled") == {"double": [6.0, None, 2.0, 4.0], "city": ["Bern", None, "Oslo", "Zug"]}
    assert features("over_arrow") == {"x": [3.0, None, 1.0, 2.0]}
    assert features("over_batches") == {"city": ["Bern", None, "Oslo", "Zug"]}


def test_rows_that_the_frame_reordered_are_put_back_by_its_index() -> None:
    assert features("untyped") == {"x": [3.0, None, 1.0, 2.0]}


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param("shorter", r"x: team_transform:shorter gives 2 rows for 4", id="rows"),
        pytest.param("mixed", r"mixed: .* gives a column of mixed values", id="mixed"),
        pytest.param("twice", r"x: .* gives this column twice", id="twice"),
        pytest.param("empty", r"feature_code: .* gives no columns", id="no columns"),
        pytest.param("nothing", r"feature_code: .* returned a NoneType", id="none"),
        pytest.param("broken", r"feature_code: .* failed on 4 rows; found \"KeyError", id="raises"),
        pytest.param("nested", r"column list: nested columns", id="nested"),
    ],
)
def test_what_is_no_feature_is_refused_by_name(name: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        features(name)


def test_columns_and_kinds_stay_from_call_to_call() -> None:
    for name, message in (
        ("moody", "gives other columns than on the rows before: n"),
        ("two_minded", "gives text for"),
    ):
        transform = open_transform(f"team_transform:{name}")
        transform(ROWS)
        with pytest.raises(DataError, match=message):
            transform(ROWS.slice(2))


@pytest.mark.parametrize("code", ["no_such_module:f", "team_transform:no_such", "team_transform:number"])
def test_code_that_is_not_there_is_a_configuration_error(code: str) -> None:
    with pytest.raises(ConfigurationError, match="feature_code: "):
        open_transform(code)


def test_the_digest_is_of_the_code_and_of_the_function(code: Path) -> None:
    first = open_transform("team_transform:doubled").digest
    assert first == open_transform("team_transform:doubled").digest
    assert first != open_transform("team_transform:untyped").digest
    code.write_text(CODE + "\n")
    assert first != open_transform("team_transform:doubled").digest
    code.write_text(CODE)


def test_inputs_are_selected_and_their_absence_is_named() -> None:
    transform = identity(["n", "x"])
    assert transform(ROWS).column_names == ["n", "x"]
    assert transform.outputs == ("n", "x")
    with pytest.raises(DataError, match=r"n: .* reads this column and the data does not have it"):
        transform(ROWS.select(["x"]))


def test_what_is_not_a_number_is_missing() -> None:
    transform = Transform("nan", "-", lambda rows: pd.DataFrame({"x": [np.nan, np.inf, 1.0, -0.0]}))
    assert transform(ROWS.to_batches()[0]).column("x").to_pylist() == [None, np.inf, 1.0, 0.0]


def on_top(rows: pd.DataFrame) -> pd.DataFrame:
    return rows


def test_code_of_any_kind_is_a_transform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "named_code.py").write_text("def build(rows):\n    return rows\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    ready = Transform("ready", "", lambda rows: rows)
    assert transform_of(ready) is ready
    table = pa.table({"income": [1.5, None], "city": ["Bern", None], "count": [1, 2]})
    for code, name in (("named_code:build", "named_code:build"), (on_top, "on_top"), (lambda rows: rows, "<lambda>")):
        transform = transform_of(code)
        assert transform.name == name
        assert transform(table).equals(table)
    with pytest.raises(ConfigurationError, match="function: is not feature code; found 3"):
        transform_of(3)  # type: ignore[arg-type]  # that is the point
