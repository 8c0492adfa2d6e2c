from __future__ import annotations

import datetime
import os
import subprocess
import sys
from pathlib import Path

import pytest

from property_search import Found, circumstances, page, read

pytestmark = pytest.mark.repository

TESTS = Path(__file__).parents[1]
PROPERTIES = """
import pytest
from hypothesis import given, strategies as st
from hypothesis_profiles import examples

@examples(3)
@given(st.integers())
def test_that_holds(value):
    assert value == value

@given(st.booleans())
def test_with_two_cases(value):
    assert value in (True, False)

@given(st.integers())
def test_that_does_not_hold(value):
    assert value < 1000, "too many"

@pytest.mark.skip(reason="not here")
@given(st.integers())
def test_elsewhere(value):
    pass

def test_that_is_no_property():
    assert False
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("search")
    (folder / "conftest.py").write_text((TESTS / "conftest.py").read_text())
    (folder / "test_some.py").write_text(PROPERTIES)
    options = ["-m", "hypothesis", "--hypothesis-profile=search", "-o", "junit_family=xunit1", "--junitxml=some.xml"]
    places = os.pathsep.join([str(TESTS), str(Path(pytest.__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--rootdir", str(folder), *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": places},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout
    assert "@reproduce_failure(" in done.stdout
    return folder / "some.xml"


def test_a_report_says_how_much_was_tried_and_what_was_found(report: Path) -> None:
    found = read("some", report)
    assert (found.tests, found.skipped, found.exhausted, found.ended) == (3, 1, 1, True)
    assert 150 + 2 < found.examples < 150 + 2 + 5000
    ((test, said),) = found.findings
    assert test == "test_some.py::test_that_does_not_hold"
    assert said.startswith("AssertionError: too many")


def test_a_group_without_a_report_did_not_end(tmp_path: Path) -> None:
    assert read("some", tmp_path / "some.xml") == Found("some", ended=False)


def test_the_record_says_what_was_found_and_how_to_draw_it_again() -> None:
    groups = [
        Found("model", 60, 2, 301_234, 3, 12.4, (("tests/test_a.py::test_b", "AssertionError: assert 1 == 2"),)),
        Found("data", ended=False),
    ]
    text = page(groups, seed=7, circumstances="2026-01-02, commit ab12.")
    assert "| model | 60 | 301,234 | 3 | 2 | 12 min | 1 |\n| data | did not end |" in text
    assert "Found:\n\n- `tests/test_a.py::test_b`: AssertionError: assert 1 == 2\n" in text
    assert "`make test-search SEED=7`" in text


def test_nothing_is_not_said_to_be_found_where_a_group_did_not_end() -> None:
    ended = Found("model", 1, 0, 5000)
    assert page([ended], seed=7, circumstances="").endswith("\nNothing was found.\n")
    assert "Nothing was found by those that ended." in page(
        [ended, Found("data", ended=False)], seed=7, circumstances=""
    )


def test_the_record_names_day_and_hypothesis() -> None:
    told = circumstances(datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC))
    assert told.startswith("2026-01-02, ")
    assert "hypothesis 6." in told
