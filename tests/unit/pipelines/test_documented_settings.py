"""What the documentation tells people to write is what the pipelines take."""

import importlib.util
import re
from pathlib import Path

import pytest
import yaml

from gauntlet.behavior.sources import parse_suite
from gauntlet.evaluation.limits import known_metrics
from gauntlet.evaluation.policies import CRITERIA
from gauntlet.orchestration.parameters import check_parameters
from gauntlet.preflight import DELIVERY_SETTINGS, SETTINGS, check_delivery_settings, check_training_settings
from gauntlet.preflight_rules import Run
from gauntlet.settings import parse

pytestmark = pytest.mark.repository

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCKS = [
    pytest.param(block, id=f"{page.stem}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL))
]
SUITE = {"golden", "invariance", "directional"}
KUBERNETES = {"apiVersion", "kind"}


def parameters():
    """Every parameter of every compiled pipeline."""
    names = set()
    for path in (ROOT / "pipelines" / "compiled").glob("*.yaml"):
        spec = next(yaml.safe_load_all(path.read_text()))
        names |= set(spec["root"]["inputDefinitions"]["parameters"])
    return names


@pytest.fixture(scope="module")
def page():
    """The script that writes the settings page."""
    spec = importlib.util.spec_from_file_location("settings_page", ROOT / "docs" / "settings.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_parameter_of_every_pipeline_has_a_row_and_an_example(page):
    assert page.PIPELINES.keys() == {path.stem for path in (ROOT / "pipelines" / "compiled").glob("*.yaml")}
    assert page.examples().keys() <= parameters()
    assert parameters() - page.examples().keys() <= page.MODELS.keys(), "write them in docs/settings_examples.yaml"
    text = (ROOT / "docs" / "settings.md").read_text()
    for name in parameters():
        assert f"| `{name}` | " in text
        assert f"| `{name}: " in text


def test_a_run_takes_the_examples_all_together(page):
    given = page.examples()
    for pipeline in page.PIPELINES:
        spec = next(yaml.safe_load_all((ROOT / "pipelines" / "compiled" / f"{pipeline}.yaml").read_text()))
        declared = spec["root"]["inputDefinitions"]["parameters"]
        check_parameters(spec, {name: value for name, value in given.items() if name in declared})
    training = {name: given[name] for name in SETTINGS}
    run = Run.of(
        data=given["data"],
        slice_columns=given["slice_columns"],
        **{name: given[name] for name in ("seed", "n_seeds", "stability_runs", "evaluation_split")},
    )
    own = {name: given[name] for name in ("model_name", "promote", "device")}
    check_training_settings(training, **own, run=run)
    delivery = {name: given[name] for name in DELIVERY_SETTINGS if name != "outcomes"}
    check_delivery_settings(delivery, service=given["service"], staging=given["staging"])


def test_every_metric_and_criterion_is_on_the_page_with_its_formula(page):
    text = (ROOT / "docs" / "settings.md").read_text()
    for name, metric in known_metrics().items():
        assert f"| `{name}` | " in text
        assert metric.definition.replace("|", "\\|") in text
    assert all(f"| `{criterion}` | " in text for criteria in CRITERIA.values() for criterion in criteria)


def test_there_are_examples():
    assert len(BLOCKS) >= 5


@pytest.mark.parametrize("block", BLOCKS)
def test_an_example_is_one_that_a_run_takes(block):
    given = yaml.safe_load(block)
    if SUITE & set(given):
        suite, _ = parse_suite(block, "example")
        assert suite.golden or suite.rules
        return
    if set(given) >= KUBERNETES:
        return
    assert set(given) <= parameters()
    for name, values in given.items():
        settings = {**DELIVERY_SETTINGS, **SETTINGS}.get(name)
        if settings is not None:
            parse(settings, values, field=name)
