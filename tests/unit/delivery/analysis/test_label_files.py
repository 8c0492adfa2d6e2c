"""Tables of labels as files, and whole rollouts whose candidate is wrong in its labels alone."""

import json
import os
import tempfile
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from builders.judged import GOOD, AskedService
from builders.judging import plan
from builders.memory_service import V1, V2
from builders.stores import add_memory_store
from gauntlet.data.objects import schemes
from gauntlet.delivery.analysis.label_files import LabelTable, read_table
from gauntlet.delivery.analysis.labels import OutcomesSource
from gauntlet.delivery.analysis.state import Outcomes
from gauntlet.delivery.deployment import preflight_warnings
from gauntlet.delivery.rollout.state import begin
from gauntlet.delivery.rollout.verdict import verdict_of
from gauntlet.errors import ConfigurationError, DataError, DependencyError
from gauntlet.settings import parse
from gauntlet.verdict import Status

ROLLOUT = begin("loans", V2, V1, 0.0)
ROWS = {"version": ["2", "2", "1"], "at": [1.0, 2.0, 3.0], "wrong": [True, None, False], "note": ["a", "b", "c"]}
SEEN = Outcomes(1, 1, 0, 1)


def source(uri, **values):
    return parse(OutcomesSource, {"uri": str(uri), "wrong": "wrong", **values}, field="outcomes")


def counted(uri, **values):
    return LabelTable(source(uri, **values))(ROLLOUT, 100.0)


def as_csv(path):
    pyarrow.csv.write_csv(pa.table(ROWS), path)


def as_parquet(path):
    pyarrow.parquet.write_table(pa.table(ROWS), path)


def as_json_lines(path):
    lines = [dict(zip(ROWS, row, strict=True)) for row in zip(*ROWS.values(), strict=True)]
    path.write_text("".join(json.dumps({k: v for k, v in one.items() if v is not None}) + "\n" for one in lines))


FORMATS = {"labels.csv": as_csv, "labels.parquet": as_parquet, "labels.jsonl": as_json_lines}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_counted_alike(tmp_path, name):
    FORMATS[name](tmp_path / name)
    assert counted(tmp_path / name) == SEEN


def test_a_folder_is_one_table_in_the_order_of_its_names(tmp_path):
    for name, write in FORMATS.items():
        write(tmp_path / name)
    (tmp_path / "_SUCCESS").write_text("")
    (tmp_path / ".labels.csv.tmp").write_text("half a li")
    assert counted(tmp_path) == Outcomes(3, 3, 0, 3)
    shown = [rows.shown.rsplit("/", 1)[-1] for rows in read_table(source(tmp_path)) if rows.batch.num_rows]
    assert shown == sorted(FORMATS)


def test_a_relative_path_lies_in_the_working_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GAUNTLET_WORKDIR", str(tmp_path))
    as_csv(tmp_path / "labels.csv")
    assert counted("labels.csv") == SEEN


def test_a_large_table_is_never_in_memory_at_once(tmp_path):
    rows = 200_000
    table = {"version": ["1", "2"] * (rows // 2), "at": [1.0] * rows, "wrong": [False, True] * (rows // 2)}
    pyarrow.parquet.write_table(pa.table(table), tmp_path / "labels.parquet")
    assert max(one.batch.num_rows for one in read_table(source(tmp_path))) < rows / 2
    assert counted(tmp_path) == Outcomes(rows / 2, rows / 2, 0, rows / 2)


def test_what_is_appended_is_counted_at_the_next_analysis(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("version,at,wrong\n")
    assert counted(path) == Outcomes()
    path.write_text("version,at,wrong\n2,1,true\n")
    assert counted(path) == Outcomes(1, 1)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: None, "there is no such file or folder"),
        (lambda path: path.mkdir(), "the folder holds no file"),
        (lambda path: path.write_text(""), "cannot be read as csv"),
        (lambda path: path.write_text("version,at\n2,1\n"), "wrong: there is no such column"),
    ],
    ids=["not there", "an empty folder", "an empty file", "another column"],
)
def test_a_table_that_cannot_be_read_stands_in_the_way(tmp_path, write, message):
    write(tmp_path / "labels.csv")
    with pytest.raises(DataError, match=message):
        counted(tmp_path / "labels.csv")
    (obstacle,) = LabelTable(source(tmp_path / "labels.csv")).obstacles()
    assert message.removeprefix("wrong: ") in str(obstacle)
    assert obstacle.blocks
    assert obstacle.mend


def test_a_table_without_rows_yet_does_not(tmp_path):
    (tmp_path / "labels.csv").write_text("version,at,wrong\n")
    assert LabelTable(source(tmp_path)).obstacles() == ()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything: run as another user")
def test_a_table_that_may_not_be_read_says_so(tmp_path):
    as_csv(tmp_path / "labels.csv")
    (tmp_path / "labels.csv").chmod(0)
    with pytest.raises((DataError, DependencyError), match=r"labels\.csv"):
        counted(tmp_path / "labels.csv")


@pytest.mark.parametrize(
    ("uri", "message"), [("s3://labels/", "not supported"), ("gs://", "names no bucket"), ("https://x.csv", "not supp")]
)
def test_other_kinds_of_storage_are_refused(uri, message):
    with pytest.raises(ConfigurationError, match=message):
        counted(uri)
    assert LabelTable(source(uri)).obstacles()[0].about == "outcomes: outcomes.uri"


@pytest.mark.parametrize("place", ["mem://labels/daily", "mem://labels/daily/", "mem://labels/daily/1.csv"])
def test_a_table_in_a_bucket_is_read_anew_at_every_analysis(monkeypatch, place):
    bucket = add_memory_store(monkeypatch)
    for name in ("daily/1.csv", "daily/_SUCCESS", "elsewhere.csv"):
        bucket.put(f"mem://labels/{name}", b"version,at,wrong\n2,1,true\n")
    assert counted(place) == Outcomes(1, 1)
    bucket.put("mem://labels/daily/1.csv", b"version,at,wrong\n2,1,true\n1,2,false\n")
    assert counted(place) == Outcomes(1, 1, 0, 1)


def test_one_file_of_a_table_in_a_bucket_is_on_this_machine_at_a_time(monkeypatch, tmp_path):
    bucket = add_memory_store(monkeypatch)
    for name in "abc":
        bucket.put(f"mem://labels/{name}.csv", b"version,at,wrong\n2,1,true\n")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    downloads = [
        len([path for path in tmp_path.rglob("*") if path.is_file()]) for _ in read_table(source("mem://labels"))
    ]
    assert downloads
    assert set(downloads) == {1}


@dataclass
class Silent:
    """A storage that does not answer, or refuses."""

    retryable: bool

    def files_at(self, uri, *, field):
        raise DependencyError("cannot be reached", field=field, value=uri, mend="Wait", retryable=self.retryable)


@pytest.mark.parametrize(("retryable", "message"), [(True, "storage did not respond"), (False, "cannot be reached")])
def test_an_outage_may_pass_and_a_refusal_is_told_as_it_is(monkeypatch, retryable, message):
    monkeypatch.setitem(schemes._STORES, "mem", lambda: Silent(retryable))
    with pytest.raises(DependencyError, match=message) as caught:
        counted("mem://labels")
    assert caught.value.retryable is retryable
    assert caught.value.field == "mem://labels"


@dataclass
class Labelled(AskedService):
    """Decisions get their label three looks later, in a table.

    Attributes:
        table: the file; a row a decision.
        wrong: version → share of its decisions that are wrong.
        spoil: what befalls the table at a time.
    """

    table: object = None
    wrong: dict = field(default_factory=dict)
    spoil: object = lambda path, now: None

    def __post_init__(self):
        self.table.write_text("version,at,wrong\n")
        self.waiting = []
        super().__post_init__()

    def answered(self, version, pod, requests, behavior=GOOD):
        super().answered(version, pod, requests, behavior)
        wrong = int(self.rng.binomial(requests, self.wrong[version]))
        lines = [f"{version},{self.now},true\n"] * wrong + [f"{version},{self.now},false\n"] * (requests - wrong)
        self.waiting.append((self.now + 180, "".join(lines)))

    def sleep(self, seconds):
        super().sleep(seconds)
        with self.table.open("a") as file:
            file.write("".join(lines for due, lines in self.waiting if due <= self.now))
        self.waiting = [(due, lines) for due, lines in self.waiting if due > self.now]
        self.spoil(self.table, self.now)


def deliver(world):
    return world.delivered(plan(metrics=["errors", "latency", "outcomes"]), outcomes=LabelTable(source(world.table)))


def test_a_candidate_that_is_wrong_in_its_labels_alone_is_rolled_back(tmp_path):
    world = Labelled(table=tmp_path / "labels.csv", wrong={"1": 0.1, "2": 0.25})
    journal = deliver(world)
    verdict = verdict_of(journal)
    assert (verdict.status, world.specified) == (Status.FAIL, V1)
    assert [check.name for check in verdict.checks] == ["outcome", "outcomes"]
    assert "wrong decisions: " in verdict.summary


def test_a_candidate_that_is_no_more_often_wrong_is_promoted(tmp_path):
    world = Labelled(table=tmp_path / "labels.csv", wrong={"1": 0.1, "2": 0.1})
    journal = deliver(world)
    assert (verdict_of(journal).status, world.specified) == (Status.PASS, V2)
    (told,) = [one for one in journal.entries[-2].analysis.metrics if one.name == "outcomes"]
    assert told.canary[1] > 500, "its labels were counted"


def test_a_table_that_goes_away_takes_the_candidate_back_as_an_error(tmp_path):
    world = Labelled(table=tmp_path / "labels.csv", wrong={"1": 0.1, "2": 0.1})
    world.spoil = lambda path, now: path.write_text("version,wrong\n") if now > 300 else None
    verdict = verdict_of(deliver(world))
    assert (verdict.status, world.specified) == (Status.ERROR, V1)
    assert "could not be read" in verdict.summary


def test_a_table_that_was_written_anew_with_fewer_rows_is_no_table(tmp_path):
    world = Labelled(table=tmp_path / "labels.csv", wrong={"1": 0.1, "2": 0.1})
    world.spoil = lambda path, now: path.write_text("version,at,wrong\n") if now > 400 else None
    verdict = verdict_of(deliver(world))
    assert (verdict.status, world.specified) == (Status.ERROR, V1)
    assert "labels that were counted have been changed or removed" in verdict.summary


def test_a_rollout_does_not_begin_without_its_table(tmp_path):
    world = Labelled(table=tmp_path / "labels.csv", wrong={"1": 0.1, "2": 0.1})
    world.found = LabelTable(source(tmp_path / "lables.csv")).obstacles()
    with pytest.raises(ConfigurationError, match=r"lables.csv there is no such file or folder"):
        deliver(world)
    with pytest.raises(ConfigurationError, match=r"lables.csv"):
        preflight_warnings(world.service(), V2.digest)
