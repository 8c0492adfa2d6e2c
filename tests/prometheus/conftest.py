from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from builders.prometheus import PROGRAM, PROMTOOL, SKIP, Running, prometheus


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.prometheus)
            if not (PROGRAM and PROMTOOL):
                item.add_marker(pytest.mark.skip(reason=SKIP))


@pytest.fixture
def watching(tmp_path: Path) -> Iterator[Running]:
    folder = tmp_path / "prometheus"
    folder.mkdir()
    with prometheus(folder) as running:
        yield running
