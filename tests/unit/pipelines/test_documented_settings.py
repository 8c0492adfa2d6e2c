"""What the documentation tells people to write is what the pipelines take."""

import re
from pathlib import Path

import pytest
import yaml

from gauntlet.behavior.sources import parse_suite
from gauntlet.preflight import DELIVERY_SETTINGS, SETTINGS
from gauntlet.settings import parse

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
