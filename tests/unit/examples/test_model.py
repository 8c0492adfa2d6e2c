"""The examples in docstrings of what runs in the model image."""

from __future__ import annotations

from pathlib import Path

import pytest

from builders.examples import failures, modules_in


@pytest.mark.parametrize("module", modules_in("model"))
def test_examples_give_what_they_show(module: str, tmp_path: Path) -> None:
    assert failures(module, tmp_path) == ""
