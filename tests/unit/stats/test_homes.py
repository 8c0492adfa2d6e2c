"""That every formula has one home: once for single numbers, and at most once for arrays."""

import ast
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

import pytest

from gauntlet import stats

PACKAGE = Path(stats.__file__).parents[1]
FOR_ARRAYS = {
    "wilson": "evaluation/shares.py",
    "clopper_pearson": "evaluation/shares.py",
}
"""Formulas that exist for arrays as well; ``test_proportions.py`` holds that both agree."""
STATISTICS = (
    "stats/beta.py",
    "stats/planning.py",
    "stats/proportions.py",
    "evaluation/auc.py",
    "evaluation/intervals.py",
    "evaluation/paired.py",
    "evaluation/power.py",
    "evaluation/shares.py",
    "evaluation/simultaneous.py",
    "delivery/evidence/clustering.py",
    "serving/acceptance/quantiles.py",
)
"""Modules of formulas: no other module may have a function named like one of theirs."""
ORDINARY = {"check", "checked", "effective", "estimate", "power", "quantile", "rank", "share"}
"""Names that say nothing of a formula outside their module."""


def functions(folder: Path) -> dict[str, set[str]]:
    """Name, without leading underscores → the modules of a folder that define a function so named at their top."""
    homes = defaultdict(set)
    for path in folder.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                homes[node.name.lstrip("_")].add(path.relative_to(folder).as_posix())
    return homes


def second_homes(folder: Path, statistics: Iterable[str]) -> dict[str, set[str]]:
    """Formula → its homes, of those that have more than one."""
    formulas = {
        node.name
        for module in statistics
        for node in ast.parse((folder / module).read_text()).body
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
    }
    homes = functions(folder)
    return {name: homes[name] for name in sorted(formulas - ORDINARY) if len(homes[name]) > 1}


def test_no_formula_has_a_second_home():
    assert second_homes(PACKAGE, STATISTICS) == {
        "wilson": {"stats/proportions.py", FOR_ARRAYS["wilson"]},
        "clopper_pearson": {"stats/proportions.py", FOR_ARRAYS["clopper_pearson"]},
    }


@pytest.mark.parametrize("name", ["wilson", "_wilson"])
def test_a_second_home_is_found(tmp_path, name):
    (tmp_path / "first.py").write_text("def wilson(): ...\ndef _own(): ...\n")
    (tmp_path / "second.py").write_text(f"def {name}(): ...\ndef _own(): ...\n")
    assert second_homes(tmp_path, ["first.py"]) == {"wilson": {"first.py", "second.py"}}


def test_the_scalar_formulas_need_no_numpy():
    for path in (PACKAGE / "stats").glob("*.py"):
        imported = {
            name.name.split(".")[0] if isinstance(node, ast.Import) else (node.module or "").split(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, (ast.Import, ast.ImportFrom))
            for name in node.names
        }
        assert imported <= {"__future__", "collections", "gauntlet", "math", "statistics", "typing"}
