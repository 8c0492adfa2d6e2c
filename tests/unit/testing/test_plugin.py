"""The plugin's fixtures in a pytest run of a team's own tests."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from builders.feature_code import raw_rows
from gauntlet import testing
from gauntlet.features.properties.policy import PropertiesPolicy, Property
from gauntlet.testing import plugin
from gauntlet.testing.plugin import PROPERTIES

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parents[3]
SHOP = """
import pandas as pd

def build(rows):
    return pd.DataFrame({"income": rows["income"] / 1000, "term": rows["term"], "city": rows["city"]})

def normalized(rows):
    income = rows["income"]
    return build(rows).assign(income=(income - income.mean()) / income.std(ddof=0))
"""


@pytest.fixture
def shop(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A team's folder: feature code, rows beside the tests, features as they were stored."""
    # Where the plugin is installed it must not be registered twice.
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTHONPATH", str(pytester.path), prepend=":")
    monkeypatch.syspath_prepend(str(pytester.path))
    sys.modules.pop("shop", None)
    pytester.makepyfile(shop=SHOP)
    rows = raw_rows()
    pq.write_table(rows, pytester.path / "loans.parquet")
    income = pa.array([value / 1000 for value in rows["income"].to_pylist()])
    stored = pa.table({"id": rows["id"], "income": income, "term": rows["term"], "city": rows["city"]})
    pq.write_table(stored.take(pa.array(range(199, -1, -1))), pytester.path / "stored.parquet")
    return pytester


def run(shop: pytest.Pytester, test: str, *arguments: str) -> pytest.RunResult:
    shop.makepyfile(test_shop=f"from shop import build, normalized\n{test}")
    return shop.runpytest("-p", "gauntlet.testing.plugin", *arguments)


def test_sound_code_passes(shop: pytest.Pytester) -> None:
    result = run(
        shop,
        """
def test_features(gauntlet):
    gauntlet.assert_features(build, "loans.parquet", time="applied_at", key=["id"], label="repaid")

def test_store(gauntlet):
    gauntlet.assert_matches_stored(build, "loans.parquet", "stored.parquet", key="id")
""",
    )
    result.assert_outcomes(passed=2)


def test_each_property_is_a_test_of_its_own(shop: pytest.Pytester) -> None:
    result = run(
        shop,
        """
def test_features(feature_property):
    feature_property(normalized, "loans.parquet", time="applied_at", key=["id"])
""",
    )
    result.assert_outcomes(passed=6, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*AssertionError: normalized: In a batch of 200 rows, features are not what they are for the same row*",
            "FAILED test_shop.py::test_features[[]one_row[]]*",
            "FAILED test_shop.py::test_features[[]point_in_time[]]*",
        ]
    )


def test_without_times_point_in_time_is_skipped_and_says_why(shop: pytest.Pytester) -> None:
    result = run(
        shop,
        """
def test_features(feature_property):
    feature_property(build, "loans.parquet")
""",
        "-rs",
    )
    result.assert_outcomes(passed=7, skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED*no column of event times: pass time=*"])


def test_a_change_against_the_store_is_diagnosed_at_the_line_of_the_test(shop: pytest.Pytester) -> None:
    result = run(
        shop,
        """
def test_store(gauntlet):
    gauntlet.assert_matches_stored(normalized, "loans.parquet", "stored.parquet", key="id")
""",
    )
    result.assert_outcomes(failed=1)
    result.stdout.re_match_lines(
        [
            r">\s+gauntlet.assert_matches_stored\(normalized, .*",
            r"E\s+AssertionError: normalized does not reproduce the stored features of 200 rows:",
            r"E\s+- income: normalization change \(new = [\d.]+ × stored − [\d.]+.*\); 100% of 200 values differ .*",
        ]
    )
    assert "by the mean and standard deviation of the values" in result.stdout.str()
    result.stdout.no_fnmatch_line("*gauntlet/testing/*:*: AssertionError")


def test_a_project_has_a_policy(shop: pytest.Pytester) -> None:
    shop.makeconftest(
        """
import pytest

@pytest.fixture(scope="session")
def feature_policy():
    return {"leave_out": ["one_row", "point_in_time"]}
"""
    )
    test = """
def test_features(gauntlet):
    gauntlet.assert_features(normalized, "loans.parquet", time="applied_at")
"""
    run(shop, test).assert_outcomes(passed=1)
    shop.makeconftest("import pytest\n@pytest.fixture(scope='session')\ndef feature_policy():\n    return {'row': 5}\n")
    result = run(shop, test)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*policy.row: unknown key; found 'row'. Did you mean 'rows'?*"])


def test_the_fixtures_say_what_they_are_for(shop: pytest.Pytester) -> None:
    result = run(shop, "", "--fixtures", "-q")
    result.stdout.fnmatch_lines(["gauntlet*", "*assertions of ``gauntlet.testing``*", "feature_property*"])


def test_the_plugin_names_every_property_there_is() -> None:
    assert tuple(Property) == PROPERTIES


def test_pytest_finds_the_plugin_by_its_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert project["entry-points"]["pytest11"] == {"gauntlet": plugin.__name__}


def test_the_page_explains_every_assertion_and_fixture() -> None:
    page = (ROOT / "docs" / "testing.md").read_text()
    for name in (*testing.__all__, "feature_property", "feature_policy", "gauntlet.assert_matches_stored"):
        assert name in page
    defaults = PropertiesPolicy.model_validate({})
    sizes = (defaults.rows, defaults.single_rows, defaults.cuts, defaults.hostile_rows, defaults.hostile_columns)
    assert "; ".join(f"{size:,}" for size in sizes) in page


def test_a_run_that_uses_none_of_it_imports_none_of_it(shop: pytest.Pytester) -> None:
    shop.makepyfile(test_nothing="def test_nothing():\n    assert True\n")
    heavy = "('mlflow', 'pandas', 'numpy', 'pyarrow', 'pydantic', 'sklearn', 'xgboost', 'jinja2', 'kfp')"
    shop.makeconftest(
        f"""
import sys

def pytest_collection_finish(session):
    print("imported:", [name for name in {heavy} if name in sys.modules])
    print("ours:", sorted(name for name in sys.modules if name.startswith("gauntlet")))
"""
    )
    source = ROOT / "src"
    result = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-p",
            "gauntlet.testing.plugin",
            "--collect-only",
            "-s",
            "-q",
            "test_nothing.py",
        ],
        cwd=shop.path,
        env={"PYTHONPATH": f"{source}:{Path(pytest.__file__).parents[1]}", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "imported: []" in result.stdout
    ours = "gauntlet gauntlet.testing gauntlet.testing.assertions gauntlet.testing.learning gauntlet.testing.plugin"
    assert f"ours: {[*ours.split(), 'gauntlet.testing.stored']}" in result.stdout
