"""Parquet files that carry a program, in this image's environment."""

import pytest

from builders.hostile import OPENED_EVERYWHERE, assert_refused
from gauntlet.delivery.analysis.label_files import read_table
from gauntlet.delivery.analysis.labels import OutcomesSource
from gauntlet.settings import parse


@pytest.mark.parametrize("opened_as", OPENED_EVERYWHERE)
def test_a_file_that_carries_a_program_is_refused(tmp_path, opened_as):
    assert_refused(OPENED_EVERYWHERE[opened_as], tmp_path)


def test_a_table_of_labels_that_carries_a_program_is_refused(tmp_path):
    def read(path):
        return list(read_table(parse(OutcomesSource, {"uri": str(path), "wrong": "y"}, field="outcomes")))

    assert_refused(read, tmp_path)
