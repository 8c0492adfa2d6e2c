"""Parquet files that carry a program, in this image's environment."""

import pytest

from builders.hostile import OPENED_EVERYWHERE, assert_refused


@pytest.mark.parametrize("opened_as", OPENED_EVERYWHERE)
def test_a_file_that_carries_a_program_is_refused(tmp_path, opened_as):
    assert_refused(OPENED_EVERYWHERE[opened_as], tmp_path)
