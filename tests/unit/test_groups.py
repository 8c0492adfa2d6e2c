"""That no test is forgotten: each file lies in a group of ``groups.toml``, and each slow one in a slow group."""

from __future__ import annotations

import ast
import subprocess
from collections import Counter
from pathlib import Path

import pytest

import groups

pytestmark = pytest.mark.repository

ROOT = Path(__file__).parents[2]
IN_TWO = ["tests/unit/behavior/test_json_schema.py"]
"""Two of its tests need jsonschema, which the data image has; the rest is about code of the model image."""
MARKERS = groups.read()[0].markers
OF_IMAGES = {"tests/images/test_images.py"}
"""What ``make images-offline`` runs, once the images are built."""


def below(*folders: str) -> set[str]:
    return {str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("test_*.py")}


def marked_slow(file: str) -> bool:
    """Whether a file marks a test as slow: ``pytest.mark.browser`` in its code."""
    marks = (node for node in ast.walk(ast.parse((ROOT / file).read_text())) if isinstance(node, ast.Attribute))
    return any(isinstance(m.value, ast.Attribute) and m.value.attr == "mark" and m.attr in MARKERS for m in marks)


def forgotten(listed: tuple[groups.Group, ...]) -> set[str]:
    """The test files that no group of their kind collects."""
    runs = {kind: {file for group in listed if group.kind == kind for file in group.files()} for kind in groups.KINDS}
    quick = below("tests/unit", "tests/components")
    slow = below("tests") - quick - OF_IMAGES | {file for file in quick if marked_slow(file)}
    return (quick - runs["fast"]) | (slow - runs["slow"])


def test_every_test_file_belongs_to_a_group():
    assert forgotten(groups.read()) == set()


def test_a_file_that_no_group_takes_is_noticed():
    text = (ROOT / "tests" / "groups.toml").read_text()
    without = text
    for line in ('  "tests/unit/features",\n', '  "tests/simulation/test_judge.py",\n'):
        without = without.replace(line, "")
    missing = forgotten(groups.read(without))
    assert {"tests/unit/features/test_impact.py", "tests/simulation/test_judge.py"} <= missing
    assert {Path(file).parts[1] for file in missing} == {"unit", "simulation"}


def test_a_path_that_is_not_there_is_an_error():
    text = (ROOT / "tests" / "groups.toml").read_text()
    with pytest.raises(FileNotFoundError, match="tests/unit/futures is not there"):
        forgotten(groups.read(text.replace("tests/unit/features", "tests/unit/futures")))


def test_a_fast_test_runs_in_one_environment():
    runs = Counter(file for group in groups.of_kind("fast") for file in group.files())
    assert sorted(file for file, times in runs.items() if times > 1) == IN_TWO


def test_every_marker_of_slow_tests_is_one_that_pytest_knows():
    known = (ROOT / "pyproject.toml").read_text().partition("markers = [")[2].partition("\n]")[0]
    for marker in MARKERS:
        assert f'"{marker}: ' in known, marker


def test_a_group_runs_in_its_images_environment_with_what_it_collects():
    (group,) = groups.of_kind("fast", ["evaluation"])
    command = group.command()
    assert command[0] == ".environments/evaluation/bin/python"
    assert "tests/unit/evaluation" in command
    assert "--ignore=tests/unit/delivery/targets/kserve" in command
    assert command[-1].startswith("not (simulation or ")
    assert group.variables()["_KFP_RUNTIME"] == "true"


def test_no_file_that_a_group_leaves_out_is_given_to_pytest_by_name():
    """It would run in an environment that lacks what it needs: pytest ignores nothing that is named."""
    for group in groups.read():
        assert not set(group.command()) & set(group.besides), group.title


def test_the_images_tests_run_where_images_are_built():
    command = ["make", "--dry-run", "--no-print-directory", "images-offline"]
    asked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert "tests/images -m images" in asked
