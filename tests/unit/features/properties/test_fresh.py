from __future__ import annotations

import sys
from pathlib import Path

import pyarrow as pa
import pytest

from gauntlet.errors import DataError
from gauntlet.features.properties.checks import check_properties
from gauntlet.features.properties.fresh import FreshProcess
from gauntlet.features.properties.policy import PropertiesPolicy, Property
from gauntlet.features.transform import open_transform
from gauntlet.verdict import Check, Status

ROWS = pa.table({"city": ["Bern", "Oslo", "Rome", "Zug"] * 5, "income": [float(one) for one in range(20)]})
MODULE = """
import pyarrow as pa

def steady(rows: pa.Table):
    return rows.select(["income"])

def hashed(rows: pa.Table):
    return pa.table({"bucket": [hash(city) % 1000 for city in rows["city"].to_pylist()]})

def crashing(rows: pa.Table):
    import sys
    if "gauntlet.features.properties.fresh" in sys.modules["__main__"].__spec__.name:
        raise RuntimeError("no")
    return rows

def sleeping(rows: pa.Table):
    import sys, time
    if "gauntlet.features.properties.fresh" in str(sys.modules["__main__"].__spec__):
        time.sleep(60)
    return rows
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "city_features.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    sys.modules.pop("city_features", None)
    return "city_features"


def determinism(code: str) -> Check:
    (check,) = check_properties(
        open_transform(code),
        ROWS,
        PropertiesPolicy.model_validate({}),
        fresh=FreshProcess(code, 60),
        only=[Property.DETERMINISM],
    )
    return check


def test_the_same_features_come_from_another_process(module: str) -> None:
    check = determinism(f"{module}:steady")
    assert (check.status, check.reason) == (
        Status.PASS,
        "20 rows computed twice, and in another process, gave the same features.",
    )


def test_a_hash_that_every_process_seeds_anew_is_found(module: str) -> None:
    check = determinism(f"{module}:hashed")
    assert check.status is Status.FAIL
    assert "do not give the same features in another process: `bucket` differs" in check.reason


def test_what_the_process_says_last_is_passed_on() -> None:
    with pytest.raises(DataError, match="No module named 'nowhere_to_be_found'") as caught:
        FreshProcess("nowhere_to_be_found:features", 60)(ROWS)
    assert caught.value.field == "nowhere_to_be_found:features"


def test_a_process_that_takes_too_long_is_ended(module: str) -> None:
    with pytest.raises(DataError, match="took too long in a process of its own"):
        FreshProcess(f"{module}:sleeping", 3)(ROWS)
