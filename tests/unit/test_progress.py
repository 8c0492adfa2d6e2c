"""How far a long task is, for a console and for a log."""

import pytest

from gauntlet.progress import PROGRESS_FILE, Done, read_progress, watched


class Clock:
    """A clock that a test turns."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def run(batches, seconds, monkeypatch, tmp_path, **more) -> list[Done | None]:
    """Deal with batches that take so many seconds each; what can be read after each."""
    monkeypatch.setenv(PROGRESS_FILE, str(tmp_path / "progress"))
    clock, seen = Clock(), []
    for _ in watched("reading", batches, lambda batch: batch, clock=clock, **more):
        seen.append(read_progress(tmp_path / "progress"))
        clock.now += seconds
    return [*seen[1:], read_progress(tmp_path / "progress")]


def test_rows_share_and_rate_are_written_while_it_runs(monkeypatch, tmp_path):
    found = run([1000, 1000, 2000], 2.0, monkeypatch, tmp_path, total=8000)
    assert found == [
        Done("reading", 1000, 0.125, 500.0),
        Done("reading", 2000, 0.25, 500.0),
        Done("reading", 4000, 0.5, 4000 / 6),
    ]
    assert str(found[-1]) == "reading 4,000 rows (50%), 667 a second"


def test_a_share_may_be_of_something_else_than_rows_or_unknown(monkeypatch, tmp_path):
    assert run([10], 1.0, monkeypatch, tmp_path, total=100, amount=lambda rows: 90.0)[0].share == 0.9
    assert run([10], 1.0, monkeypatch, tmp_path, total=5)[0].share == 1.0, "an estimate may be short"
    (unknown,) = run([10], 1.0, monkeypatch, tmp_path)
    assert str(unknown) == "reading 10 rows, 10 a second"


def test_nothing_is_written_more_than_once_a_second(monkeypatch, tmp_path):
    assert run([1] * 5, 0.3, monkeypatch, tmp_path) == [
        None,
        None,
        None,
        *[Done("reading", 4, None, pytest.approx(4 / 1.2))] * 2,
    ]


def test_the_log_has_a_line_every_half_minute_with_or_without_a_file(monkeypatch, tmp_path, capsys):
    monkeypatch.delenv(PROGRESS_FILE, raising=False)
    clock = Clock()
    for _ in watched("writing", [10] * 7, lambda rows: rows, total=70, clock=clock):
        clock.now += 10
    lines = capsys.readouterr().err.splitlines()
    assert lines == ["writing 30 rows (43%), 1 a second", "writing 60 rows (86%), 1 a second"]


def test_a_file_that_cannot_be_written_stops_nothing(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv(PROGRESS_FILE, str(tmp_path / "file" / "progress"))
    clock = Clock()
    for _ in watched("reading", [1, 1], lambda rows: rows, clock=clock):
        clock.now += 5


@pytest.mark.parametrize("content", ["", "{", "[]", '{"doing": "x"}'])
def test_what_is_no_progress_is_none(tmp_path, content):
    (tmp_path / "progress").write_text(content)
    assert read_progress(tmp_path / "progress") is None
