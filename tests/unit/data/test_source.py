"""Local sources: found in order, pinned by content, and refused once they change."""

import hashlib
import os

import pytest

from gauntlet.data.source import Pinned, fetch, parse_pinned, resolve
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.storage import WORKDIR


def names(sources):
    return [pinned.uri for pinned in resolve(sources)]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder of files that relative paths start from, though the process stands elsewhere."""
    for name in ("b.csv", "a.csv", "deep/c.csv", "deep/_SUCCESS", "deep/.crc", "deep/d.json"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    monkeypatch.setenv(WORKDIR, str(tmp_path))
    return tmp_path


def test_a_file_is_pinned_by_its_content(here):
    (pinned,) = resolve([{"uri": "a.csv", "split": "test"}])
    assert pinned == Pinned(uri="a.csv", version="sha256:" + hashlib.sha256(b"a.csv").hexdigest(), size=5, split="test")
    assert "split" not in resolve([{"uri": "a.csv"}])[0].to_json()


def test_every_file_of_a_reference_table_carries_its_name(here):
    pinned = resolve([{"uri": "deep", "table": "customers"}, {"uri": "a.csv"}])
    assert {file.uri: file.table for file in pinned} == {
        "a.csv": None, "deep/c.csv": "customers", "deep/d.json": "customers"}  # fmt: skip
    assert "table" not in pinned[0].to_json()
    assert parse_pinned([file.to_json() for file in pinned]) == pinned


def test_no_source_is_no_file():
    assert resolve([]) == []


def test_files_folders_and_patterns_come_in_order(here):
    assert names([{"uri": "*.csv"}]) == ["a.csv", "b.csv"]
    assert names([{"uri": "b.csv"}, {"uri": "a.csv"}]) == ["a.csv", "b.csv"]
    assert names([{"uri": "deep"}]) == ["deep/c.csv", "deep/d.json"]
    assert names([{"uri": "**/*.csv"}]) == ["a.csv", "b.csv", "deep/c.csv"]
    assert names([{"uri": str(here / "*.csv")}]) == [str(here / "a.csv"), str(here / "b.csv")]


def test_a_file_whose_name_looks_like_a_pattern_is_itself(here):
    (here / "a[1].csv").write_text("x")
    assert names([{"uri": "a[1].csv"}]) == ["a[1].csv"]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ([{"uri": "nothing.csv"}], "no such file or folder"),
        ([{"uri": "*.parquet"}], "names no file"),
        ([{"uri": "s3://bucket/a.csv"}], "not supported.*s3://.*Use gs:// or a local path"),
        ([{"uri": "gs://bucket"}], "names no object"),
        ([{"uri": "gs://"}], "names no bucket"),
        ([{"uri": "a.csv"}, {"uri": "*.csv"}], "names a file twice"),
        ([{"url": "a.csv"}], "unknown key|is required"),
        ([{}], "is required"),
        ([{"uri": "a.csv", "table": ""}], "at least 1 character"),
    ],
)
def test_what_cannot_be_resolved_is_a_configuration_error(here, sources, message):
    with pytest.raises(ConfigurationError) as caught:
        resolve(sources)
    caught.match("(?s)" + message)
    assert caught.value.field.startswith("sources")
    assert caught.value.mend


def test_what_was_pinned_is_what_is_read(here, tmp_path):
    (pinned,) = resolve([{"uri": "a.csv"}])
    with fetch(pinned, tmp_path) as file:
        assert file.path.read_text() == "a.csv"


@pytest.mark.parametrize(
    ("spoil", "message"),
    [(lambda path: path.write_text("other"), "has changed"), (lambda path: path.unlink(), "not there any more")],
)
def test_what_changed_since_is_a_data_error(here, tmp_path, spoil, message):
    (pinned,) = resolve([{"uri": "a.csv"}])
    spoil(here / "a.csv")
    with pytest.raises(DataError, match=message), fetch(pinned, tmp_path):
        pass


def test_a_change_while_reading_is_noticed_at_the_end(here, tmp_path):
    (pinned,) = resolve([{"uri": "a.csv"}])
    with pytest.raises(DataError, match="has changed"), fetch(pinned, tmp_path):
        (here / "a.csv").write_text("longer than before")


def test_a_pipeline_hands_sizes_on_as_doubles():
    (pinned,) = parse_pinned([{"uri": "a", "version": "1", "size": 5.0}])
    assert pinned.size == 5
    with pytest.raises(ConfigurationError, match="is required") as caught:
        parse_pinned([{"uri": "a", "size": 5.0}])
    assert caught.value.field == "pinned[0].version"


def folder_with(tmp_path, name, make):
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "a.csv").write_text("x")
    make(folder / name)
    return folder


@pytest.mark.parametrize(
    ("name", "make", "says"),
    [
        ("b.csv", lambda path: path.symlink_to("gone.csv"), "a link to nothing (gone.csv)"),
        ("b.csv", lambda path: path.symlink_to(path), "a link to nothing"),
        ("more", lambda path: path.symlink_to(path.parent.parent), "a link to a folder"),
        ("b.csv", os.mkfifo, "no regular file"),
        (os.fsdecode(b"b\xff.csv"), lambda path: path.write_text("x"), "not UTF-8"),
    ],
)
def test_no_part_of_a_folder_is_left_out_in_silence(tmp_path, name, make, says):
    folder = folder_with(tmp_path, name, make)
    for uri in (str(folder), str(folder / "*")):
        if name == "more" and uri.endswith("*"):
            continue  # a pattern names files; folders that match it are not meant
        with pytest.raises(DataError) as refused:
            resolve([{"uri": uri}])
        assert says in str(refused.value)
        assert refused.value.field.isprintable()


def test_all_parts_that_cannot_be_read_are_said_at_once(tmp_path):
    folder = folder_with(tmp_path, "b.csv", os.mkfifo)
    (folder / "c.csv").symlink_to("gone")
    (folder / "_c.csv").symlink_to("gone")
    with pytest.raises(DataError) as refused:
        resolve([{"uri": str(folder)}])
    assert "1 more cannot be read either" in str(refused.value)
    assert refused.value.value == [
        f"{folder}/b.csv: no regular file (a pipe, socket or device)",
        f"{folder}/c.csv: a link to nothing (gone)",
    ]


def test_a_link_to_a_file_is_that_file(tmp_path):
    folder = folder_with(tmp_path, "b.csv", lambda path: path.symlink_to("a.csv"))
    (first,), (link,) = (resolve([{"uri": str(folder / name)}]) for name in ("a.csv", "b.csv"))
    assert link.version == first.version


def test_a_pipe_that_is_named_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(DataError, match="no regular file"):
        resolve([{"uri": str(tmp_path / "pipe.csv")}])


def test_a_folder_that_may_not_be_listed_is_said(tmp_path, monkeypatch):
    folder = folder_with(tmp_path, "deep", lambda path: path.mkdir())
    scandir = os.scandir

    def refusing(path):
        if str(path).endswith("deep"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refusing)  # root may read everything
    with pytest.raises(DataError, match=r"a folder that cannot be read \(Permission denied\)"):
        resolve([{"uri": str(folder)}])


def test_folders_below_a_source_say_what_columns_hold(here):
    for name in ("logs/site=alpha/day=1/a.csv", "logs/site=b%2Fc/day=__HIVE_DEFAULT_PARTITION__/a.csv"):
        (here / name).parent.mkdir(parents=True)
        (here / name).write_text("x")
    expected = [{"site": "alpha", "day": "1"}, {"site": "b/c", "day": ""}]
    for uri in ("logs", "logs/", "logs/**/*.csv", "logs/*/*/a.csv"):
        pinned = resolve([{"uri": uri}])
        assert [file.partitions for file in pinned] == expected, uri
        assert parse_pinned([file.to_json() for file in pinned]) == pinned
    (one,) = resolve([{"uri": "logs/site=alpha/day=1/a.csv"}])
    assert one.partitions == {}
    assert [file.partitions for file in resolve([{"uri": "logs/site=alpha"}])] == [{"day": "1"}]


@pytest.mark.parametrize("again", ["b.csv", "deep/../a.csv", "deep/e.csv", "*.csv"])
def test_one_file_by_two_names(tmp_path, monkeypatch, again):
    """Relative to where the run was started, not to where the task runs."""
    monkeypatch.setenv(WORKDIR, str(tmp_path))
    (tmp_path / "deep").mkdir()
    (tmp_path / "a.csv").write_text("x,y\n1,0\n2,1\n")
    (tmp_path / "b.csv").symlink_to("a.csv")
    (tmp_path / "deep/e.csv").symlink_to("../a.csv")
    sources = [{"uri": "a.csv", "split": "train"}, {"uri": again, "split": "test"}]
    with pytest.raises(ConfigurationError, match="names a file twice, by two names"):
        resolve(sources if again != "*.csv" else [{"uri": again}])
