import json

import pytest

from gauntlet import storage


def test_a_folder_appears_whole(tmp_path):
    with storage.whole_folder(tmp_path / "out") as work:
        (work / "part").write_text("content")
        assert not (tmp_path / "out").exists()

    assert (tmp_path / "out/part").read_text() == "content"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_failure_leaves_nothing_and_keeps_what_was_there(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out/old").write_text("old")

    with pytest.raises(RuntimeError), storage.whole_folder(tmp_path / "out") as work:
        (work / "new").write_text("half")
        raise RuntimeError

    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["out", "out/old"]


def test_a_folder_replaces_a_file_or_folder(tmp_path):
    (tmp_path / "out").write_text("a file the caller made beforehand")
    for name in ("first", "second"):
        with storage.whole_folder(tmp_path / "out") as work:
            (work / name).touch()

    assert [path.name for path in (tmp_path / "out").iterdir()] == ["second"]


def test_a_file_that_cannot_be_written_leaves_nothing(tmp_path):
    (tmp_path / "out").mkdir()

    with pytest.raises(IsADirectoryError):
        storage.write_text(tmp_path / "out", "text")

    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_json_is_stable_and_refuses_nan(tmp_path):
    storage.write_json(tmp_path / "x.json", {"b": 1, "a": "é"})

    assert (tmp_path / "x.json").read_text() == '{\n  "a": "é",\n  "b": 1\n}\n'
    with pytest.raises(ValueError, match="Out of range float"):
        storage.write_json(tmp_path / "y.json", {"x": float("inf")})
    assert not (tmp_path / "y.json").exists()


def test_absence_says_why(tmp_path):
    storage.write_absent(tmp_path / "champion", "No version carries the alias champion yet.")
    (tmp_path / "model").mkdir()

    assert storage.absence(tmp_path / "champion") == "No version carries the alias champion yet."
    assert storage.absence(tmp_path / "model") is None
    assert json.loads((tmp_path / "champion/absent.json").read_text()) == {
        "absent": "No version carries the alias champion yet."
    }
