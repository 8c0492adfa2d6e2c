"""docs/canary.md promises nothing that no simulation measures: every row of its table names a test that is there."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
HEAD = "| promise | where it holds | measured | outside | test |"


def rows(page):
    """The rows of the table of promises, as lists of cells."""
    table = page.split(HEAD)[1].split("\n\n")[0].strip().splitlines()[1:]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in table]


def named(row, above):
    """(file, test) of a row; "same" is that of the row above."""
    found = re.fullmatch(r"`(\w+)` (\w+)", row[-1])
    return above if row[-1] == "same" else found and found.groups()


def problems(page):
    """The rows that name no test of tests/simulation, or show no measurement."""
    above, found = None, []
    for row in rows(page):
        above = named(row, above)
        path = ROOT / "tests" / "simulation" / f"test_{above[0]}.py" if above else None
        tests = (
            {node.name for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef)}
            if path and path.is_file()
            else set()
        )
        if len(row) != 5 or not above or f"test_{above[1]}" not in tests or not re.search(r"\(\d[\d,]*[^)]*\)", row[2]):
            found.append(row)
    return found


PAGE = (ROOT / "docs" / "canary.md").read_text()


def test_every_promise_names_its_test_and_how_many_trials_it_was_measured_in():
    assert len(rows(PAGE)) > 30
    assert problems(PAGE) == []


@pytest.mark.parametrize(
    "row",
    [
        "| a | b | 1 ± 1 (20) | c | `canary` a_test_that_is_gone |",
        "| a | b | 1 ± 1 (20) | c | `elsewhere` clustered_requests_need_phi |",
        "| a | b | 1 ± 1 | c | `canary` clustered_requests_need_phi |",
        "| a | b | 1 ± 1 (20) | c | |",
    ],
    ids=["no such test", "no such file", "no trials", "no test"],
)
def test_a_row_that_does_not_is_noticed(row):
    assert len(problems(f"{HEAD}\n|---|\n{row}\n\n")) == 1
