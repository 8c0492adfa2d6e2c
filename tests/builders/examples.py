"""The examples in the library's docstrings: which modules have some, where they run, and whether they are true."""

from __future__ import annotations

import ast
import doctest
import importlib
import io
import tempfile
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from unittest import mock

import groups
from builders.imports import syntax_trees

PACKAGE = groups.ROOT / "src" / "gauntlet"
FOLDER = "tests/unit"
OPTIONS = doctest.NORMALIZE_WHITESPACE
"""Sentences are broken to fit a docstring's lines."""


def examples_in(tree: ast.Module) -> int:
    """How many ``>>>`` examples the docstrings of a module hold."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    texts = (ast.get_docstring(node) or "" for node in ast.walk(tree) if isinstance(node, documented))
    return sum(len(doctest.DocTestParser().get_examples(text)) for text in texts)


@cache
def all_examples() -> Mapping[str, int]:
    """Module → how many examples it holds, for every module of the library with some."""
    counts = {module: examples_in(tree) for module, tree in syntax_trees(PACKAGE).items()}
    return {module: count for module, count in counts.items() if count}


def environment_of(module: str, collected: Mapping[str, str]) -> str:
    """The environment in which a module's examples run: that of the unit tests that mirror it.

    Args:
        module: its dotted name.
        collected: test file → environment, from ``collected_files``.
    """
    folders = [FOLDER, *module.split(".")[1:]]
    while len(folders) > 1:
        below = "/".join(folders) + "/"
        environments = Counter(where for file, where in collected.items() if file.startswith(below))
        if environments:
            return environments.most_common(1)[0][0]
        folders.pop()
    here = Counter(where for file, where in collected.items() if str(Path(file).parent) == FOLDER)
    return here.most_common(1)[0][0]


@cache
def collected_files() -> Mapping[str, str]:
    """Fast test file → the environment in which it runs."""
    return {file: group.environment for group in groups.of_kind("fast") for file in group.files()}


def modules_in(environment: str) -> list[str]:
    """The modules whose examples run in an environment."""
    collected = collected_files()
    return [module for module in all_examples() if environment_of(module, collected) == environment]


def file_of(environment: str) -> str:
    """The test file that runs an environment's examples."""
    return f"{FOLDER}/examples/test_{environment}.py"


def failures(module: str, scratch: Path) -> str:
    """Run a module's examples; what differs from what they show, empty where all is as shown.

    Args:
        module: its dotted name.
        scratch: a folder for their temporary files.
    """
    with mock.patch.object(tempfile, "tempdir", str(scratch)):
        return failures_of(importlib.import_module(module), all_examples()[module])


def failures_of(module: ModuleType, expected: int) -> str:
    """The same of a module at hand, ``expected`` being how many examples its source holds."""
    report, runner = io.StringIO(), doctest.DocTestRunner(verbose=False, optionflags=OPTIONS)
    for test in doctest.DocTestFinder(exclude_empty=True).find(module):
        runner.run(test, out=report.write)
    if runner.tries != expected:
        report.write(f"{module.__name__}: {runner.tries} examples were run where its source holds {expected}\n")
    return report.getvalue()


def package_example(module: str) -> str:
    """The first example of a module's docstring as it is written: from its first ``>>>`` to the next empty line."""
    text = ast.get_docstring(syntax_trees(PACKAGE)[module]) or ""
    return text[text.index(">>> ") :].partition("\n\n")[0]
