from __future__ import annotations

import json

import pytest

import unchanged

MODULES = {
    "src/product/__init__.py": "",
    "src/product/stats.py": "from product.deep.core import level\n\ndef mean():\n    return level()\n",
    "src/product/deep/__init__.py": "",
    "src/product/deep/core.py": '"""Docs."""\n\ndef level():\n    """More."""\n    return 1\n',
    "src/product/other.py": "VALUE = 1\n",
    "src/product/open/__init__.py": (
        "from lazy import lazy_exports\n"
        "if TYPE_CHECKING:\n    from product.open.near import near\n    from product.open.far import far\n"
        "else:\n    __getattr__ = lazy_exports(__name__, {'near': 'product.open.near', 'far': 'product.open.far'})\n"
    ),
    "src/product/open/near.py": "near = 1\n",
    "src/product/open/far.py": "if TYPE_CHECKING:\n    from product import other\nfar = 2\n",
    "src/product/open/beside.py": "beside = 3\n",
    "tests/test_c.py": "from product.open import far\nfrom product.open.beside import beside\n",
    "tests/test_d.py": "import product.open\n",
    "tests/conftest.py": "",
    "tests/builders/trials.py": "COUNT = 3\n",
    "tests/test_a.py": "import numpy\nfrom builders.trials import COUNT\nfrom product import stats\n",
    "tests/test_b.py": "from product import other\n",
    "one.lock": "numpy==2.0\n",
}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    for name, text in MODULES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    monkeypatch.setattr(unchanged, "ROOT", tmp_path)
    monkeypatch.setattr(unchanged, "RECORD", tmp_path / "tests" / "simulations.json")
    monkeypatch.setattr(unchanged, "SOURCES", (tmp_path / "src", tmp_path / "tests", tmp_path))
    monkeypatch.setattr(unchanged, "LOCKS", [tmp_path / "one.lock"])
    forget()
    yield tmp_path
    forget()


def forget():
    """Files have changed."""
    for kept in (unchanged._tree, unchanged._code, unchanged._imported, unchanged._lazy_exports):
        kept.cache_clear()


def recorded(repository):
    file = repository / "tests" / "test_a.py"
    unchanged.record({file: {"date": "2026-01-02", "tests": 2}})
    return file


def test_a_file_rests_on_what_it_imports_and_what_that_imports(repository):
    reached = {path.name for path in unchanged.closure(repository / "tests" / "test_a.py")}
    assert reached == {"test_a.py", "conftest.py", "__init__.py", "stats.py", "core.py", "trials.py"}


@pytest.mark.parametrize(
    ("file", "reached"),
    [
        ("test_c.py", {"far.py", "beside.py"}),
        ("test_d.py", {"far.py", "near.py"}),
    ],
    ids=["what it names", "any, where the package itself is imported"],
)
def test_what_a_package_offers_lazily_counts_where_it_is_taken(repository, file, reached):
    found = {path.name for path in unchanged.closure(repository / "tests" / file)}
    assert found - {file, "conftest.py", "__init__.py"} == reached


def test_a_file_rests_on_the_libraries_of_its_own_environment():
    (simulation,) = unchanged.ROOT.glob("tests/simulation/test_judge.py")
    assert {lock.parent.name for lock in unchanged._locks(simulation)} == {"evaluation"}
    assert unchanged._locks(unchanged.ROOT / "tests" / "nowhere.py") == unchanged.LOCKS


def test_unchanged_is_held_and_the_record_keeps_what_is_worth_it(repository):
    file = recorded(repository)
    assert unchanged.held({file, repository / "tests" / "test_b.py"}) == {file}
    assert json.loads(unchanged.RECORD.read_text())["tests/test_a.py"]["date"] == "2026-01-02"


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("src/product/deep/core.py", "return 1", "return 2"),
        ("src/product/stats.py", "return level()", "return level() + 0"),
        ("tests/builders/trials.py", "3", "4"),
        ("tests/test_a.py", "import numpy\n", "import numpy\nX = 1\n"),
        ("one.lock", "2.0", "2.1"),
    ],
)
def test_any_change_below_is_noticed(repository, name, before, after):
    file = recorded(repository)
    path = repository / name
    path.write_text(path.read_text().replace(before, after))
    forget()
    assert unchanged.held({file}) == set()


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("src/product/deep/core.py", "More.", "Other words."),
        ("src/product/deep/core.py", "    return 1", "    return 1  # one"),
        ("src/product/other.py", "1", "2"),
    ],
)
def test_words_and_what_is_not_imported_change_nothing(repository, name, before, after):
    file = recorded(repository)
    path = repository / name
    path.write_text(path.read_text().replace(before, after))
    forget()
    assert unchanged.held({file}) == {file}


def test_without_a_record_nothing_is_held(repository):
    assert unchanged.held({repository / "tests" / "test_a.py"}) == set()


def test_a_file_that_is_gone_leaves_the_record(repository):
    file = recorded(repository)
    file.unlink()
    unchanged.record({})
    assert json.loads(unchanged.RECORD.read_text()) == {}
