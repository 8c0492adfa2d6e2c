from __future__ import annotations

import json

import pytest

import unchanged

MODULES = {
    "src/product/__init__.py": "",
    "src/product/stats.py": (
        "from product.deep.core import level\nfrom product.deep import shares\n\n"
        "def mean():\n    return level() + shares.part(SCALE)\n\ndef spare():\n    return level\n\n"
        "SCALE = 3\nLEFT = 4\n"
    ),
    "src/product/deep/__init__.py": "",
    "src/product/deep/core.py": (
        '"""Docs."""\nimport product.registry\n\ndef level():\n    """More."""\n    return _inner()\n\n'
        'def _inner():\n    return 1\n\nWORDS = "a"\n"""What they are."""\n\ndef unused():\n    return WORDS\n'
    ),
    "src/product/deep/shares.py": "def part(of):\n    return of\n\ndef whole():\n    return 1\n",
    "src/product/registry.py": "KNOWN = []\nKNOWN.append(1)\n",
    "src/product/other.py": "VALUE = 1\n",
    "src/product/shapes.py": (
        "from product.other import VALUE\n\n"
        "class Shape:\n    side = 1\n\n    def __init__(self):\n        self.size = 2\n\n"
        "    def area(self):\n        return self._half() * 2\n\n    def _half(self):\n        return 1\n\n"
        "    @property\n    def name(self):\n        return 'x'\n\n"
        "    @registered\n    def hook(self):\n        pass\n\n"
        "    def write(self):\n        return VALUE\n"
    ),
    "tests/test_d.py": "from product.shapes import Shape\n\ndef test_it():\n    assert Shape().area() == 2\n",
    "src/product/open/__init__.py": (
        "from lazy import lazy_exports\n"
        "if TYPE_CHECKING:\n    from product.open.nearby import near\n    from product.open.faroff import far\n"
        "else:\n    names = {}\n"
        "    __getattr__ = lazy_exports(__name__, {'near': 'product.open.nearby', 'far': 'product.open.faroff'})\n"
    ),
    "src/product/open/nearby.py": "near = 1\n",
    "src/product/open/faroff.py": "if TYPE_CHECKING:\n    from product import other\nfar = 2\nnot_far = 3\n",
    "src/product/open/beside.py": "beside = 3\n",
    "tests/builders/trials.py": "COUNT = 3\nOTHER = 4\n",
    "tests/test_a.py": (
        "import numpy\nfrom builders.trials import COUNT\nfrom product import stats\n\n"
        "def test_it():\n    assert stats.mean() < COUNT\n"
    ),
    "tests/test_b.py": "from product import other\n\nprint(other)\n",
    "tests/test_c.py": (
        "from product.open import far\n\ndef test_it():\n    from product.open.beside import beside\n"
        "    assert far < beside\n"
    ),
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
    for kept in (unchanged._module, unchanged._files):
        kept.cache_clear()


def recorded(repository):
    file = repository / "tests" / "test_a.py"
    unchanged.record({file: {"date": "2026-01-02", "tests": 2}})
    return file


def reached(file):
    return {(path.name, name) for path, name in unchanged.closure(file) if name}


@pytest.mark.parametrize(
    ("file", "names"),
    [
        (
            "test_a.py",
            {
                ("test_a.py", "test_it"),
                ("trials.py", "COUNT"),
                ("stats.py", "mean"),
                ("stats.py", "SCALE"),
                ("core.py", "level"),
                ("core.py", "_inner"),
                ("shares.py", "part"),
                ("registry.py", "KNOWN"),
            },
        ),
        ("test_b.py", {("other.py", "VALUE")}),
        (
            "test_d.py",
            {("test_d.py", "test_it"), *(("shapes.py", name) for name in ("Shape", "Shape.area", "Shape._half"))},
        ),
        ("test_c.py", {("test_c.py", "test_it"), ("faroff.py", "far"), ("beside.py", "beside")}),
    ],
    ids=[
        "what is named, and what that names",
        "a module that is handed on",
        "methods that are called",
        "what a package offers lazily",
    ],
)
def test_a_file_rests_on_what_it_names(repository, file, names):
    assert reached(repository / "tests" / file) == names


def test_a_class_counts_without_methods_that_nobody_calls(repository):
    shapes = unchanged._module((repository / "src" / "product" / "shapes.py").resolve())
    assert shapes.methods == {"Shape": ["Shape.area", "Shape._half", "Shape.name", "Shape.write"]}
    assert "hook" in shapes.code("Shape"), "whoever registers it may call it"
    assert "size" in shapes.code("Shape"), "Python calls what has two underscores"


def test_a_file_rests_on_the_libraries_of_its_own_environment():
    (simulation,) = unchanged.ROOT.glob("tests/simulation/test_judge.py")
    assert {lock.parent.name for lock in unchanged._locks(simulation)} == {"evaluation"}
    assert unchanged._locks(unchanged.ROOT / "tests" / "nowhere.py") == unchanged.LOCKS


def test_the_simulations_rest_on_what_they_simulate():
    named = {
        "test_judge.py": {("judge.py", "CounterJudge"), ("update.py", "_alarmed"), ("decision.py", "decide")},
        "test_false_blocks.py": {("comparison.py", "compare"), ("auc.py", "rank"), ("paired.py", "score_limits")},
        "test_data_gates.py": {("noise.py", "noise_of")},
    }
    for file, some in named.items():
        assert some <= reached(unchanged.ROOT / "tests" / "simulation" / file), file


def test_unchanged_is_held_and_the_record_keeps_what_is_worth_it(repository):
    file = recorded(repository)
    assert unchanged.held({file, repository / "tests" / "test_b.py"}) == {file}
    assert json.loads(unchanged.RECORD.read_text())["tests/test_a.py"]["date"] == "2026-01-02"


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("src/product/deep/core.py", "return 1", "return 2"),
        ("src/product/stats.py", "return level() +", "return level() -"),
        ("src/product/stats.py", "SCALE = 3", "SCALE = 5"),
        ("src/product/registry.py", "append(1)", "append(2)"),
        ("tests/builders/trials.py", "COUNT = 3", "COUNT = 4"),
        ("tests/test_a.py", "import numpy\n", "import numpy\nX = 1\n"),
        ("one.lock", "2.0", "2.1"),
    ],
    ids=["below", "itself", "a constant", "what an import runs", "a builder", "the file", "a library"],
)
def test_any_change_of_what_it_rests_on_is_noticed(repository, name, before, after):
    file = recorded(repository)
    path = repository / name
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))
    forget()
    assert unchanged.held({file}) == set()


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        ("src/product/deep/core.py", "More.", "Other words."),
        ("src/product/deep/core.py", "return 1", "return 1  # one"),
        ("src/product/deep/core.py", "What they are.", "Letters."),
        ("src/product/deep/core.py", "return WORDS", "return WORDS * 2"),
        ("src/product/stats.py", "LEFT = 4", "LEFT = 5\nMORE = 6"),
        ("src/product/deep/shares.py", "return 1", "return 2"),
        ("tests/builders/trials.py", "OTHER = 4", "OTHER = 5"),
        ("src/product/other.py", "1", "2"),
    ],
    ids=[
        "a docstring",
        "a comment",
        "words below a constant",
        "a function",
        "constants",
        "another",
        "a builder",
        "all",
    ],
)
def test_words_and_what_is_not_named_change_nothing(repository, name, before, after):
    file = recorded(repository)
    path = repository / name
    assert before in path.read_text()
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
