"""What packages offer by name without importing it: the three lists agree, and importing a package stays light."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from gauntlet.lazy import lazy_exports

SOURCE = Path(__file__).parents[2] / "src"
PACKAGES = ["gauntlet.data", "gauntlet.evaluation", "gauntlet.features"]


def source_of(package: str) -> str:
    return (SOURCE / package.replace(".", "/") / "__init__.py").read_text()


def imported_for_types(text: str) -> dict[str, str]:
    """Name → module, of what is imported below ``if TYPE_CHECKING``."""
    blocks = [node for node in ast.parse(text).body if isinstance(node, ast.If)]
    imports = (node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom))
    return {alias.name: str(node.module) for node in imports for alias in node.names}


def lazily_exported(text: str) -> dict[str, str]:
    """Name → module, as given to ``lazy_exports``."""
    calls = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Call))
    (call,) = (call for call in calls if isinstance(call.func, ast.Name) and call.func.id == "lazy_exports")
    exports: dict[str, str] = ast.literal_eval(call.args[1])
    return exports


def loaded_by(statement: str) -> set[str]:
    """The modules that a statement loads in a new interpreter."""
    code = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before), sep='\\n')"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(SOURCE)!r}); {code}"]
    return set(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())


@pytest.mark.parametrize("package", PACKAGES)
def test_type_checkers_and_python_find_the_same_names(package: str) -> None:
    text = source_of(package)
    exports = lazily_exported(text)
    assert exports == imported_for_types(text)
    assert sorted(exports) == importlib.import_module(package).__all__


@pytest.mark.parametrize("package", PACKAGES)
def test_every_name_is_there_and_is_no_submodule(package: str) -> None:
    module = importlib.import_module(package)
    for name in module.__all__:
        assert not isinstance(getattr(module, name), ModuleType), name
        assert not (SOURCE / package.replace(".", "/") / f"{name}.py").exists(), "the submodule would take its place"


@pytest.mark.parametrize("package", PACKAGES)
def test_importing_a_package_imports_nothing_else(package: str) -> None:
    assert loaded_by(f"import {package}") == {"gauntlet", "gauntlet.lazy", package}


def test_importing_the_assertions_imports_the_standard_library_alone() -> None:
    foreign = {name.partition(".")[0] for name in loaded_by("import gauntlet.testing")} - sys.stdlib_module_names
    assert foreign == {"gauntlet"}


def test_a_heavy_import_is_noticed() -> None:
    loaded = loaded_by("import gauntlet.evaluation; gauntlet.evaluation.evaluate")
    assert {"numpy", "scipy", "gauntlet.evaluation.arrays"} <= loaded


def test_a_name_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    package = ModuleType("shop")
    monkeypatch.setitem(sys.modules, "shop", package)
    package.__getattr__ = lazy_exports("shop", {"sqrt": "math"})  # type: ignore[method-assign]
    assert package.sqrt(9) == 3
    assert "sqrt" in vars(package)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'shop' has no attribute 'sqr'"):
        lazy_exports("shop", {"sqrt": "math"})("sqr")
    with pytest.raises(ImportError, match="cannot import name 'import_file'"):
        exec("from gauntlet.data import import_file")
