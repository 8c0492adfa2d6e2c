from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gauntlet.errors import DataError
from gauntlet.training.trained_rows import FILE, TrainedRows, hashes_of, read_trained_rows, smallest

IDS = hashes_of(pa.array([f"row-{n}" for n in range(20_000)]))


def test_every_row_of_few_is_told_apart() -> None:
    trained = TrainedRows(smallest([IDS[:600], IDS[500:1000]], 5_000), most=5_000)
    assert trained.overlap(IDS[900:1500]) == (600, 100)
    assert trained.overlap(IDS[1000:1001]) == (1, 0)


@pytest.mark.parametrize("shared", [0, 1_000, 10_000])
def test_of_many_rows_a_sample_is_kept_that_knows_the_share(shared: int) -> None:
    """2,000 of 10,000 hashes are kept, so that about a fifth of any rows can be told."""
    trained = TrainedRows(smallest(np.array_split(IDS[:10_000], 7), 2_000), most=2_000)
    looked_at, found = trained.overlap(IDS[10_000 - shared : 20_000 - shared])
    assert looked_at == pytest.approx(2_000, rel=0.15)
    assert found / looked_at == pytest.approx(shared / 10_000, abs=0.05)
    assert (found == 0) == (shared == 0)


@pytest.mark.parametrize("content", [b"", b"not numpy", None])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    assert read_trained_rows(tmp_path) is None
    if content is None:
        np.save(tmp_path / FILE, np.zeros(3))
    else:
        (tmp_path / FILE).write_bytes(content)
    with pytest.raises(DataError, match="does not say which rows"):
        read_trained_rows(tmp_path)
