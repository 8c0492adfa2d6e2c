"""The published schema: up to date, and of one mind with the models that read the files."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders.behavior_files import good_suites, mutated
from gauntlet.behavior.changes import Change
from gauntlet.behavior.document import read_document
from gauntlet.behavior.json_schema import json_schema, json_schema_text
from gauntlet.behavior.policy import BehaviorPolicy
from gauntlet.behavior.sources import parse_suite

ROOT = Path(__file__).parents[3]
BEYOND_A_SCHEMA = {"the same name twice"}


@pytest.fixture(scope="module")
def validator():
    jsonschema = pytest.importorskip(
        "jsonschema", reason="no jsonschema here: run these in the data image's environment"
    )
    jsonschema.Draft202012Validator.check_schema(json_schema())
    return jsonschema.Draft202012Validator(json_schema())


def test_the_published_file_is_up_to_date():
    published = (ROOT / "docs" / "schemas" / "behavior.schema.json").read_text()
    assert published == json_schema_text(), "run python docs/behavior_schema.py"


def test_every_key_tells_an_editor_what_it_is():
    schema = json_schema()
    for name, model in {"suite": schema, **schema["$defs"]}.items():
        for key, field in model.get("properties", {}).items():
            assert "description" in field or "$ref" in field, f"{name}.{key}"


def test_the_example_points_at_the_schema_and_fits_it(validator):
    path = ROOT / "examples" / "loans-behavior.yaml"
    text = path.read_text()
    schema = text.splitlines()[0].removeprefix("# yaml-language-server: $schema=")
    assert (path.parent / schema).resolve() == ROOT / "docs" / "schemas" / "behavior.schema.json"
    validator.validate(read_document(text, "x").value)


@given(document=good_suites())
def test_a_file_that_is_read_fits(validator, document):
    validator.validate(document)


@given(document=good_suites(), data=st.data())
def test_a_file_with_one_fault_does_not_fit(validator, document, data):
    broken, fault = mutated(copy.deepcopy(document), data)
    if fault not in BEYOND_A_SCHEMA:
        assert not validator.is_valid(broken), fault


def test_the_documentations_example_is_read_and_its_tables_are_whole(validator):
    page = (ROOT / "docs" / "behavior.md").read_text()
    text = page.split("```yaml\n")[1].split("```")[0]
    parse_suite(text, "docs/behavior.md")
    validator.validate(read_document(text, "x").value)


@pytest.mark.parametrize("model", [BehaviorPolicy, Change])
def test_the_documentation_names_every_key(model):
    page = (ROOT / "docs" / "behavior.md").read_text()
    for key in model.model_fields:
        assert f"`{key}`" in page or f"`{key}:" in page, key
