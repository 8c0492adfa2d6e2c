"""Parquet files that carry a program, in this image's environment."""

import pytest

from builders.hostile import OPENED_EVERYWHERE, assert_refused
from gauntlet.behavior.sources import read_rows
from gauntlet.behavior.suite import BulkRows
from gauntlet.digest import digest_file
from gauntlet.settings import parse
from gauntlet.testing.subjects import table_of


@pytest.mark.parametrize("opened_as", OPENED_EVERYWHERE)
def test_a_file_that_carries_a_program_is_refused(tmp_path, opened_as):
    assert_refused(OPENED_EVERYWHERE[opened_as], tmp_path)


def test_rows_of_a_behavior_file_that_carry_a_program_are_refused(tmp_path):
    def read(path):
        bulk = parse(BulkRows, {"uri": str(path), "sha256": digest_file(path).removeprefix("sha256:")}, field="rows")
        return read_rows(bulk, "", "rows")

    assert_refused(read, tmp_path)


def test_a_team_s_rows_that_carry_a_program_are_refused(tmp_path):
    def read(path):
        return table_of(path)

    assert_refused(read, tmp_path)
