"""That no test is forgotten: each lies in a group that ``make test`` or ``make test-slow`` runs."""

from __future__ import annotations

import subprocess
from collections import Counter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FAST = ("command", "evaluation", "delivery", "model", "serving", "data")
IN_TWO = ["tests/unit/behavior/test_json_schema.py"]
"""Two of its tests need jsonschema, which the data image has; the rest is about code of the model image."""


def told(target: str) -> str:
    """What make would run, without running it."""
    command = ["make", "--dry-run", "--no-print-directory", target]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def files(command: str) -> set[str]:
    """The test files that a pytest command collects."""
    words = command.replace("--ignore=", "--ignore= ").split()
    taken: set[str] = set()
    left_out: set[str] = set()
    for before, word in zip(["", *words], words, strict=False):
        if word.startswith("tests/"):
            (left_out if before == "--ignore=" else taken).update(under(word))
    return taken - left_out


def under(pattern: str) -> set[str]:
    places = [*ROOT.glob(pattern)]
    assert places, f"{pattern} is not there"
    found = [file for place in places for file in (place.rglob("test_*.py") if place.is_dir() else [place])]
    return {str(file.relative_to(ROOT)) for file in found if file.name.startswith("test_")}


def test_every_fast_test_runs_in_one_environment() -> None:
    runs = Counter(file for group in FAST for file in files(told(f"test-{group}")))
    everything = under("tests/unit") | under("tests/components") | under("tests/integration")
    assert everything - set(runs) == set()
    assert sorted(file for file, times in runs.items() if times > 1) == IN_TWO
    assert all(f"test-{group}" in told("test").split() for group in FAST)


def test_every_other_test_runs_with_the_slow_ones_or_with_the_images() -> None:
    groups = [word for word in told("test-slow").split() if word.startswith("slow-")]
    runs = {file for group in (*groups, "images-offline") for file in files(told(group))}
    others = under("tests") - under("tests/unit") - under("tests/components")
    assert others - runs == set()


@pytest.mark.parametrize("group", FAST)
def test_a_search_goes_through_what_the_fast_tests_do(group: str) -> None:
    search = told(f"search-{group}")
    assert files(search) == files(told(f"test-{group}"))
    assert "-m hypothesis --hypothesis-profile=search" in search
    assert group in told("test-search").split()
