from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gauntlet.errors import ConfigurationError, DataError
from gauntlet.testing.subjects import importable_name, table_of

TABLE = pa.table({"income": [1.5, None], "city": ["Bern", None], "count": [1, 2]})


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param(TABLE, id="table"),
        pytest.param(TABLE.to_batches()[0], id="record batch"),
        pytest.param(TABLE.to_pandas(), id="frame"),
        pytest.param(TABLE.to_pandas().set_index("city", drop=False), id="frame with an index"),
        pytest.param(TABLE.to_pandas().astype({"city": "category", "count": "int8"}), id="frame of narrow types"),
        pytest.param({"income": [1.5, None], "city": ["Bern", None], "count": [1, 2]}, id="columns"),
        pytest.param({"income": np.array([1.5, np.nan]), "city": ["Bern", None], "count": [1, 2]}, id="arrays"),
        pytest.param([{"income": 1.5, "city": "Bern", "count": 1}, {"income": None, "count": 2}], id="list of rows"),
    ],
)
def test_rows_of_any_kind_are_one_table(rows: Any) -> None:
    assert table_of(rows).equals(TABLE)


def test_rows_may_be_in_a_file(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "rows.parquet")
    (tmp_path / "rows.csv").write_text("income,city,count\n1.5,Bern,1\n,,2\n")
    assert table_of(tmp_path / "rows.parquet").equals(TABLE)
    assert table_of(str(tmp_path / "rows.csv")).equals(TABLE)


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        pytest.param("nowhere.parquet", "stored: no such file; found 'nowhere.parquet'", id="no file"),
        pytest.param(__file__, "stored: is not a supported file", id="another file"),
        pytest.param(7, "stored: is not a table; found 7", id="a number"),
        pytest.param([], "stored: is not a table", id="no rows"),
    ],
)
def test_what_is_no_table_is_refused(rows: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words):
        table_of(rows, "stored")


def test_a_table_that_cannot_be_read_is_an_error_of_the_data(tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_text("not Parquet")
    with pytest.raises(DataError, match="cannot be read"):
        table_of(tmp_path / "rows.parquet")
    with pytest.raises(DataError, match="rows: cannot be converted to a table"):
        table_of({"x": [1, "a"]})
    with pytest.raises(DataError, match="x: nested columns have no place"):
        table_of({"x": [[1], [2]]})


def test_only_what_another_process_finds_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "shop_package"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "code.py").write_text(
        "class Builder:\n    def __call__(self, rows):\n        return rows\n\ndef build(r):\n    return r\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    from shop_package import code  # type: ignore[import-not-found]  # written above

    assert importable_name(code.build) == "shop_package.code:build"
    assert importable_name("any:name") == "any:name"
    assert importable_name(lambda rows: rows) is None
    assert importable_name(code.Builder()) is None
    monkeypatch.setattr(code.build, "__module__", "elsewhere")
    assert importable_name(code.build) is None
    monkeypatch.setattr(code.build, "__module__", "shop_package.code")
    monkeypatch.setattr(sys, "path", [folder for folder in sys.path if folder != str(tmp_path)])
    assert importable_name(code.build) is None
