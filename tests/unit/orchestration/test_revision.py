from __future__ import annotations

import ast
import subprocess
from pathlib import Path

import pytest

from gauntlet import __version__
from gauntlet.orchestration import revision
from gauntlet.orchestration.revision import code_digest, code_revision

LIBRARY = Path(revision.__file__).parents[1]


def git(folder: Path, *arguments: str) -> str:
    words = ["git", "-C", str(folder), "-c", "user.name=T", "-c", "user.email=t@example.org", *arguments]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    folder.mkdir()
    (folder / "a.py").write_text("a = 1\n")
    (folder / ".gitignore").write_text("runs/\n")
    git(folder, "init", "-q")
    git(folder, "add", ".")
    git(folder, "commit", "-qm", "first")
    return folder


def test_a_clean_tree_is_its_commit(repository):
    assert code_revision(repository) == git(repository, "rev-parse", "HEAD")
    (repository / "runs").mkdir()
    (repository / "runs" / "ignored").write_text("x")
    assert code_revision(repository) == git(repository, "rev-parse", "HEAD")


def test_a_changed_tree_says_so_and_how(repository):
    head = git(repository, "rev-parse", "HEAD")
    revisions = {head}
    for name, text in (("a.py", "a = 2\n"), ("a.py", "a = 3\n"), ("new.py", "b = 1\n"), ("new.py", "b = 2\n")):
        (repository / name).write_text(text)
        revision = code_revision(repository)
        assert revision.startswith(f"{head}+")
        assert revision == code_revision(repository)
        revisions.add(revision)
    assert len(revisions) == 5


def test_without_git_it_is_the_version(tmp_path, monkeypatch):
    assert code_revision(tmp_path) == f"kfp-gauntlet {__version__}"
    monkeypatch.setenv("PATH", str(tmp_path))
    assert code_revision(tmp_path) == f"kfp-gauntlet {__version__}"


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("evaluation/metrics.py", True),
        ("reports/templates/page.html.j2", True),
        ("orchestration/component.py", True),
        ("orchestration/declaration.py", True),
        ("orchestration/engine.py", False),
        ("cli/run.py", False),
        ("evaluation/__pycache__/metrics.cpython-311.pyc", False),
    ],
)
def test_what_a_component_can_reach(tmp_path, name, counts):
    component = tmp_path / "component.py"
    component.write_text("")
    library = tmp_path / "library"
    (library / name).parent.mkdir(parents=True)
    before = code_digest(component, library)
    (library / name).write_text("x")
    assert (code_digest(component, library) != before) is counts


def imported(name: str) -> set[str]:
    """The library's modules that a file imports when it is imported, those of these in turn, and their packages."""
    reached: set[str] = set()
    waiting = [name]
    while waiting:
        current = waiting.pop()
        if current not in reached:
            reached |= {current, *(f"{folder}/__init__.py" for folder in [str(Path(current).parent)] if folder != ".")}
            for node in ast.parse((LIBRARY / current).read_text()).body:
                if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gauntlet."):
                    parts = str(node.module).split(".")[1:]
                    names = ["/".join(parts), *("/".join([*parts, alias.name]) for alias in node.names)]
                    waiting += [f"{each}.py" for each in names if (LIBRARY / f"{each}.py").is_file()]
    return reached


@pytest.mark.parametrize("name", ["orchestration/component.py", "demo/faulty.py"])
def test_what_a_component_imports_counts(name):
    reached = imported(name)
    assert len(reached) > 3
    assert {each for each in reached if not revision._is_reachable(each)} == set()
