from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PROPERTY = """
import json
from hypothesis import given, strategies as st
from hypothesis_profiles import examples
import subject

drawn = {"usual": [], "few": []}

@given(st.integers())
def test_usual(value):
    drawn["usual"].append(repr(value))

@examples(10)
@given(st.integers() | st.text() | st.floats())
def test_few(value):
    drawn["few"].append(repr(value))

def test_show():
    open("drawn.json", "w").write(json.dumps(drawn))
"""


def draw(folder: Path, *options: str, constants: str = "ANSWER = 42", **environment: str) -> dict[str, list[str]]:
    """What two property tests draw that import a module with these constants, in a process of their own."""
    folder.mkdir(parents=True)
    (folder / "conftest.py").write_text((TESTS / "conftest.py").read_text())
    (folder / "subject.py").write_text(constants)
    (folder / "test_property.py").write_text(PROPERTY)
    found = [str(place) for place in (folder, TESTS, Path(pytest.__file__).parents[1])]
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--rootdir", str(folder), *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(found), **environment},
        check=True,
    )
    return json.loads((folder / "drawn.json").read_text())


@pytest.mark.repository
def test_the_same_examples_are_drawn_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAUNTLET_TIER", raising=False)
    desk = draw(tmp_path / "desk", constants="ANSWERS = [71077345, 65537, -30341, 255, 1024]")
    assert {name: len(values) for name, values in desk.items()} == {"usual": 100, "few": 10}
    assert draw(tmp_path / "tests", constants="", CI="true") == desk
    quick = draw(tmp_path / "quick", constants="", GAUNTLET_TIER="test")
    assert {name: len(values) for name, values in quick.items()} == {"usual": 25, "few": 2}


@pytest.mark.repository
def test_a_search_draws_fifty_times_as_many_and_new_ones(tmp_path: Path) -> None:
    search = "--hypothesis-profile=search"
    first = draw(tmp_path / "first", search, CI="true")
    assert {name: len(values) for name, values in first.items()} == {"usual": 5_000, "few": 500}
    assert draw(tmp_path / "second", search, "--deselect=test_property.py::test_usual")["few"] != first["few"]


@pytest.mark.repository
def test_a_search_can_be_repeated_from_its_seed(tmp_path: Path) -> None:
    options = ("--hypothesis-profile=search", "--hypothesis-seed=7", "--deselect=test_property.py::test_usual")
    assert draw(tmp_path / "first", *options) == draw(tmp_path / "second", *options)


@pytest.mark.parametrize("name", ["settings", "seed", "reproduce_failure"])
def test_no_test_decides_by_itself_what_is_drawn(name: str) -> None:
    """A test's own ``settings`` would win over the profile: a search would not multiply its examples."""
    elsewhere = [
        str(path.relative_to(TESTS))
        for path in TESTS.rglob("*.py")
        if path.name != "hypothesis_profiles.py" and name in _taken_from_hypothesis(path.read_text())
    ]
    assert elsewhere == []


def _taken_from_hypothesis(source: str) -> set[str]:
    taken = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "hypothesis":
            taken |= {one.name for one in node.names}
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "hypothesis":
            taken.add(node.attr)
    return taken
