"""Journals on disk: one writer at a time, never half a journal, nothing left behind."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest

from builders.disks import fill, small_disk
from builders.local import release
from gauntlet.delivery.rollout.journal import Journal
from gauntlet.delivery.rollout.ports import Conflict
from gauntlet.delivery.rollout.state import begin
from gauntlet.delivery.targets.local.client.journal_store import LocalJournalStore
from gauntlet.errors import DataError, DependencyError

FIRST, SECOND, THIRD = (Journal(begin("loans", release("2"), release("1"), now)) for now in (1.0, 2.0, 3.0))


def test_a_journal_is_replaced_by_who_read_the_newest_alone(tmp_path):
    journals = LocalJournalStore(tmp_path / "rollouts")
    assert journals.read("loans") is None
    mark = journals.write(FIRST, "")
    assert journals.read("loans") == (FIRST, mark)
    newer = journals.write(SECOND, mark)
    for stale in ("", mark):
        with pytest.raises(Conflict):
            journals.write(THIRD, stale)
    assert LocalJournalStore(tmp_path / "rollouts").read("loans") == (SECOND, newer)


def test_of_many_who_write_at_once_one_wins(tmp_path):
    journals = LocalJournalStore(tmp_path)
    mark, won, start = journals.write(FIRST, ""), [], threading.Barrier(8)

    def write(now):
        start.wait()
        with contextlib.suppress(Conflict):
            won.append(
                LocalJournalStore(tmp_path).write(Journal(begin("loans", release("2"), release("1"), now)), mark)
            )

    threads = [threading.Thread(target=write, args=(now,)) for now in range(10, 18)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert journals.read("loans")[1] == won[0]


def test_what_a_killed_writer_left_is_swept(tmp_path):
    journals = LocalJournalStore(tmp_path)
    left = tmp_path / ".loans.json.0a1b2c3d.partial"
    left.write_text("half a jour")
    journals.write(FIRST, "")
    assert not left.exists()


def test_what_is_no_journal_is_an_error(tmp_path):
    (tmp_path / "loans.json").write_text("{}")
    with pytest.raises(DataError, match=r"loans\.json: is not the journal of a rollout.*Run the pipeline rollback"):
        LocalJournalStore(tmp_path).read("loans")


def test_what_is_no_journal_is_put_away_whole_and_another_begins(tmp_path):
    journals = LocalJournalStore(tmp_path)
    (tmp_path / "loans.json").write_bytes(b'{"format": "gauntlet.jour')
    place = journals.set_aside("loans")
    assert journals.read("loans") is None
    assert Path(place).read_bytes() == b'{"format": "gauntlet.jour'
    mark = journals.write(FIRST, "")
    assert journals.read("loans") == (FIRST, mark)
    with pytest.raises(DependencyError, match="cannot be read or written"):
        journals.set_aside("prices")


def test_a_full_disk_leaves_the_journal_as_it_was_and_nothing_beside(tmp_path):
    with small_disk(tmp_path / "disk") as disk:
        journals = LocalJournalStore(disk)
        mark = journals.write(FIRST, "")
        fill(disk)
        with pytest.raises(DependencyError, match="No space left on device"):
            journals.write(SECOND, mark)
        assert journals.read("loans") == (FIRST, mark)
        assert sorted(path.name for path in disk.iterdir()) == ["ballast", "loans.json", "loans.lock"]
        assert Path(journals.set_aside("loans")).exists(), "to rename it needs no space"


def test_a_folder_that_is_none_is_an_error_that_waiting_may_mend(tmp_path):
    (tmp_path / "rollouts").write_text("a file")
    journals = LocalJournalStore(tmp_path / "rollouts")
    for use in (lambda: journals.read("loans"), lambda: journals.write(FIRST, "")):
        with pytest.raises(DependencyError, match="cannot be read or written") as refused:
            use()
        assert refused.value.retryable
