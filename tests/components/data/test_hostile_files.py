"""Parquet files that carry a program, in this image's environment."""

import pytest

from builders.hostile import OPENED_EVERYWHERE, assert_refused
from gauntlet.data.importing import import_snapshot
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.roles import Roles
from gauntlet.data.source import resolve
from gauntlet.data.split import SplitOptions


@pytest.mark.parametrize("opened_as", OPENED_EVERYWHERE)
def test_a_file_that_carries_a_program_is_refused(tmp_path, opened_as):
    assert_refused(OPENED_EVERYWHERE[opened_as], tmp_path)


def test_importing_a_file_that_carries_a_program_is_refused(tmp_path):
    def read(path):
        pinned = resolve([{"uri": str(path)}])
        options = {"roles": Roles(label="y"), "reader": ReaderOptions(), "split": SplitOptions()}
        return import_snapshot(pinned, tmp_path / "snapshot", **options)

    assert_refused(read, tmp_path)
    assert not (tmp_path / "snapshot").exists()
