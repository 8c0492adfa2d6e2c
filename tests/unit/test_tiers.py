"""What ``make check`` leaves out, tried on a suite of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tiers

pytestmark = pytest.mark.repository

TESTS = Path(__file__).parents[1]
SUITE = """
import pytest
from tiers import count, sample

@pytest.mark.parametrize("case", ["one", pytest.param("two", marks=pytest.mark.exhaustive)])
def test_of_a_kind(case):
    pass

@pytest.mark.parametrize("place", sample(range(9), every=4))
def test_sampled(place):
    pass

@pytest.mark.simulation
def test_simulated():
    assert count(1, full=1000) in (1, 1000)

def test_counts(record_property):
    record_property("trials", count(1, full=1000))
"""


def ran(folder: Path, tier: str) -> str:
    (folder / "conftest.py").write_text((TESTS / "conftest.py").read_text())
    (folder / "test_some.py").write_text(SUITE)
    (folder / "pytest.ini").write_text("[pytest]\nmarkers =\n    simulation\n    exhaustive\n")
    places = os.pathsep.join([str(TESTS), str(Path(pytest.__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "--rootdir", str(folder), "--junitxml=report.xml"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": places, "GAUNTLET_TIER": tier},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout + (folder / "report.xml").read_text()


def test_a_check_leaves_out_what_differs_in_one_detail_and_says_so(tmp_path):
    shown = ran(tmp_path, "check")
    assert "test_of_a_kind[one] PASSED" in shown
    assert "test_of_a_kind[two]" not in shown
    assert [f"test_sampled[{place}] PASSED" in shown for place in range(9)] == [place % 4 == 0 for place in range(9)]
    assert "test_simulated PASSED" in shown, "nothing is recorded of this file"
    assert "Left to make test-all: 1 that differ from others in one detail." in shown
    assert 'name="trials" value="1"' in shown


@pytest.mark.parametrize(("tier", "trials"), [("all", 1000), ("", 1)])
def test_elsewhere_everything_runs(tmp_path, tier, trials):
    shown = ran(tmp_path, tier)
    assert "test_of_a_kind[two] PASSED" in shown
    assert shown.count("test_sampled[") >= 9
    assert "Left to make test-all" not in shown
    assert f'name="trials" value="{trials}"' in shown


def test_a_simulation_of_unchanged_code_is_left_out(tmp_path, monkeypatch):
    file, other = tmp_path / "test_a.py", tmp_path / "test_b.py"

    class Item:
        def __init__(self, path):
            self.path = path

        def get_closest_marker(self, name):
            return name == "simulation"

    class Config:
        def __init__(self):
            self.stash = pytest.Stash()
            self.hook = self
            self.left = []

        def pytest_deselected(self, items):
            self.left += items

    monkeypatch.setattr(tiers, "CHECK", True)
    monkeypatch.setattr(tiers.unchanged, "held", lambda files: {file} & files)
    config, items = Config(), [Item(file), Item(other)]
    tiers.leave_out(config, items)
    assert [item.path for item in items] == [other]
    assert [item.path for item in config.left] == [file]
    assert "1 simulations of unchanged code" in tiers.say_what_was_left_out(config)


def test_the_record_names_files_that_are_there():
    recorded = json.loads(tiers.unchanged.RECORD.read_text())
    for name, run in recorded.items():
        assert (TESTS.parent / name).is_file(), name
        assert run["tests"] > 0
