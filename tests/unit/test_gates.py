"""The table of gates against everything that names a gate: code, components, preflight, documentation."""

import ast
import importlib.util
from pathlib import Path

import pytest

from gauntlet import gates, preflight
from gauntlet.gates import GATES, Stage, gates_before
from gauntlet.settings import Settings

ROOT = Path(__file__).parents[2]


def constants() -> dict[str, str]:
    """``GATE = "..."`` in the library, by file."""
    found = {}
    for path in sorted((ROOT / "src" / "gauntlet").rglob("*.py")):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["GATE"]:
                found[str(path.relative_to(ROOT))] = ast.literal_eval(node.value)
    return found


def parameters(component: str) -> set[str]:
    """The parameters of a component, read from its file."""
    (path,) = (ROOT / "components").glob(f"*/{component}.py")
    (function,) = (node for node in ast.parse(path.read_text()).body if isinstance(node, ast.FunctionDef))
    return {argument.arg for argument in (*function.args.args, *function.args.kwonlyargs)}


def test_the_table_names_the_gates_that_give_verdicts_and_no_others():
    assert sorted(constants().values()) == sorted(gate.name for gate in GATES)


def test_every_gate_is_a_component_with_a_verdict():
    for gate in GATES:
        assert "verdict" in parameters(gate.runs_in), gate.name


def test_every_gates_settings_are_checked_before_anything_is_read():
    checked = {
        "check_configuration": (preflight.SETTINGS, gates_before(Stage.TRAINING, Stage.MERGING, Stage.REGISTERING)),
        "check_delivery": (preflight.DELIVERY_SETTINGS, gates_before(Stage.PRODUCTION)),
    }
    for component, (models, asked) in checked.items():
        for gate in asked:
            assert gate.parameter in models, gate.name
            assert gate.parameter in parameters(component), gate.name


@pytest.mark.parametrize("component", ["check_configuration", "check_delivery"])
def test_what_is_checked_is_what_there_is_a_model_for(component):
    models = {"check_configuration": preflight.SETTINGS, "check_delivery": preflight.DELIVERY_SETTINGS}[component]
    assert models.keys() <= parameters(component)


@pytest.fixture
def generator():
    """The script that writes the tables of the architecture page."""
    spec = importlib.util.spec_from_file_location("architecture_page", ROOT / "docs" / "architecture.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_architecture_page_has_both_tables(generator):
    text = (ROOT / "docs" / "architecture.md").read_text()
    assert generator.page(text) == text, "run make docs"
    assert text.count("](statistics.md) |") == sum(gate.page == "statistics.md" for gate in GATES)


def test_a_row_that_is_missing_is_noticed(generator):
    text = (ROOT / "docs" / "architecture.md").read_text()
    row = next(line for line in text.splitlines(keepends=True) if "`evaluate_slices` | Is it" in line)
    assert generator.page(text.replace(row, "")) == text
    assert generator.page(text.replace(" `evaluate_slices` |", " |")) == text, "and so is a component"
    with pytest.raises(ValueError, match=r"architecture.md has no section '## The gates of a run'"):
        generator.page(text.replace("## The gates of a run", "## Gates"))


def test_every_gates_parameter_is_one_of_the_pipelines():
    taken = set()
    for path in (ROOT / "pipelines").glob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef):
                taken |= {argument.arg for argument in node.args.args}
    assert {gate.parameter for gate in GATES} <= taken


def test_every_settings_model_is_there():
    for gate in GATES:
        assert issubclass(preflight.settings_of(gate), Settings), gate.name


def test_every_page_is_there():
    for gate in GATES:
        assert (ROOT / "docs" / gate.page).is_file(), gate.name


def test_names_and_words_are_told_apart():
    assert len({gate.name for gate in GATES}) == len({gate.subject for gate in GATES}) == len(GATES)
    assert gates.gates_before(*Stage) == GATES
