"""The one call from files to a snapshot: what the two steps behind it give, and errors in the caller's own keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders.sources import COLUMNS, KEYED, N, load, rows, write_csv
from gauntlet.data import import_files
from gauntlet.errors import ConfigurationError, DataError


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    write_csv(tmp_path / "a.csv", **COLUMNS)
    return tmp_path / "a.csv"


def test_it_gives_what_pinning_and_importing_give(csv: Path, tmp_path: Path) -> None:
    snapshot = import_files(csv, tmp_path / "out", roles=KEYED)
    expected = load(csv, tmp_path / "by steps", roles=KEYED)
    assert snapshot.digest == expected.digest
    assert rows(snapshot) == rows(expected)


def test_sources_are_named_in_any_way(csv: Path, tmp_path: Path) -> None:
    test = tmp_path / "test.csv"
    write_csv(test, **{name: values[:5] for name, values in COLUMNS.items()})
    ways = [str(csv), [csv], {"uri": str(csv)}, [{"uri": str(csv)}]]
    assert len({import_files(way, tmp_path / "out", roles=KEYED).digest for way in ways}) == 1
    keep = {"duplicates": "keep_first"}
    both = import_files([{"uri": str(test), "split": "test"}, csv], str(tmp_path / "out"), roles=KEYED, reader=keep)
    assert sum(both.splits.values()) == N
    assert {source["uri"] for source in both.sources} == {str(csv), str(test)}


def test_options_reach_the_import(csv: Path, tmp_path: Path) -> None:
    whole = {"fractions": {"train": 1}}
    assert import_files(csv, tmp_path / "out", roles=KEYED, split=whole).splits == {"train": N}
    dropped = import_files(csv, tmp_path / "out", roles=KEYED, reader={"drop": ["c"]})
    assert "c" not in dropped.columns
    history = import_files(csv, tmp_path / "out", roles={"key": ["id"]}, purpose="history", most_rows=N // 2)
    assert 0 < history.splits["history"] < N


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"roles": {"lable": "y"}}, "roles.lable: unknown key.*Did you mean 'label'"),
        ({"reader": {"delimeter": ";"}}, "reader.delimeter: unknown key"),
        ({"split": {"fractions": {"train": 0.5}}}, "split.fractions: shares must sum to 1"),
    ],
    ids=["roles", "reader", "split"],
)
def test_a_wrong_option_is_named(csv: Path, tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        import_files(csv, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_file_that_is_not_there_or_not_numbers_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no such file"):
        import_files(tmp_path / "b.csv", tmp_path / "out")
    amounts = [*(str(n) for n in range(100)), "about 90"]
    write_csv(tmp_path / "b.csv", amount=amounts)
    with pytest.raises(DataError, match="about 90"):
        import_files(tmp_path / "b.csv", tmp_path / "out")
