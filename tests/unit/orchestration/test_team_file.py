"""``gauntlet.yaml``: a team's pipelines are Gauntlet's with values given, and only what is asked for is an input."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from google.protobuf import json_format

from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.compiler import compile_team, documents
from gauntlet.orchestration.graph import tasks_of
from gauntlet.orchestration.placement import CompileSettings
from gauntlet.orchestration.project import Project
from gauntlet.orchestration.team_file import Team, find_team, json_schema_text, read_team

ROOT = Path(__file__).parents[3]
SHOUT = """
images: {registry: ghcr.io/acme, tag: "7"}
placement:
  components: {make_words: {memory: 2Gi}}
pipelines:
  shout:
    pipeline: words
    parameters: {text: hey, options: {times: 2}}
    ask: [count]
    description: Shouts.
    deadline_seconds: 600
"""
LOANS = """
pipelines:
  loans-training:
    pipeline: continuous_training
    parameters: {roles: {label: repaid}, model_name: loans}
    ask: [data, promote]
"""


def team(folder: Path, text: str = SHOUT) -> Team:
    (folder / "gauntlet.yaml").write_text(text)
    return read_team(folder / "gauntlet.yaml")


def spec_of(project: Project, team: Team) -> dict[str, Any]:
    (compiled,) = compile_team(project, team)
    return dict(documents(compiled.text))


def test_what_is_given_is_no_input_and_what_is_asked_for_stays_one(toy, tmp_path):
    (compiled,) = compile_team(toy.project, team(tmp_path))
    spec = documents(compiled.text)
    assert compiled.path == tmp_path / "compiled" / "shout.yaml"
    assert spec["pipelineInfo"] == {"name": "shout", "description": "Shouts."}
    assert spec["root"]["inputDefinitions"]["parameters"] == {
        "count": {"parameterType": "NUMBER_INTEGER", "description": "How many words."}
    }
    made = spec["root"]["dag"]["tasks"]["make-words"]["inputs"]["parameters"]
    assert made["text"] == {"runtimeValue": {"constant": "hey"}}
    assert made["count"] == {"componentInputParameter": "count"}
    assert spec["root"]["dag"]["tasks"]["finish"]["inputs"]["parameters"]["how"] == {"runtimeValue": {"constant": ""}}


def test_images_resources_and_deadline_are_the_files(toy, tmp_path):
    spec = spec_of(toy.project, team(tmp_path))
    executors = spec["deploymentSpec"]["executors"]
    assert {one["container"]["image"] for one in executors.values()} == {"ghcr.io/acme/gauntlet/toy:7"}
    assert executors["exec-make-words"]["container"]["resources"]["resourceMemoryLimit"] == "2Gi"
    assert "600" in str(spec["platforms"])


def test_the_file_of_a_folder_above_is_found(tmp_path):
    team(tmp_path)
    (tmp_path / "a" / "b").mkdir(parents=True)
    found = find_team(tmp_path / "a" / "b")
    assert found is not None
    assert found.folder == tmp_path
    assert find_team(Path("/")) is None


def test_parameters_may_lie_in_a_file_beside_it(toy, tmp_path):
    (tmp_path / "words.yaml").write_text("text: hey\n")
    text = SHOUT.replace("{text: hey, options: {times: 2}}", "words.yaml")
    made = spec_of(toy.project, team(tmp_path, text))["root"]["dag"]["tasks"]["make-words"]["inputs"]["parameters"]
    assert made["text"] == {"runtimeValue": {"constant": "hey"}}


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("pipelines:", "pipeline:", "gauntlet.yaml.pipeline: unknown key"),
        ("  shout:", "  Shout It:", "gauntlet.yaml.pipelines.Shout It"),
        ("pipeline: words", "pipeline: wrods", "pipelines.shout.pipeline: no such pipeline; found 'wrods'. Did you"),
        ("text: hey", "txt: hey", "pipelines.shout.parameters: unknown parameter; found 'txt'. Did you mean 'text'?"),
        ("text: hey", "text: 5", "pipelines.shout.text: must be text; found 5"),
        ("ask: [count]", "ask: [cuont]", "pipelines.shout.ask: words has no such parameter; found 'cuont'. Did you"),
        ("ask: [count]", "ask: [count, text]", "pipelines.shout.ask: is given a value and asked for; found 'text'"),
        ("ask: [count]", "ask: []", "pipelines.shout.parameters.count: words needs it"),
        ("make_words:", "make_wrods:", "placement.components: no such component; found 'make_wrods'. Did you mean"),
        ("{text: hey, options: {times: 2}}", "nowhere.yaml", "cannot be read"),
        ("placement:", "images: {}\nplacement:", "gauntlet.yaml, line 3: images: is given twice, first on line 2"),
        (SHOUT, "- a list", "is not a mapping"),
        (SHOUT, "images: [", "cannot be read"),
        (SHOUT, "", "has no pipelines"),
    ],
)
def test_what_cannot_be_meant_is_refused_by_its_key(toy, tmp_path, before, after, says):
    with pytest.raises(ConfigurationError) as caught:
        compile_team(toy.project, team(tmp_path, SHOUT.replace(before, after)))
    assert says in str(caught.value)
    assert not (tmp_path / "compiled").exists()


def test_a_pipeline_that_is_not_in_the_file_is_refused(toy, tmp_path):
    with pytest.raises(ConfigurationError, match=r"no such pipeline; found 'shoot'\. Did you mean 'shout'"):
        compile_team(toy.project, team(tmp_path), ["shoot"])


def tasks(text: str, folder: Path) -> list[str]:
    loans = team(folder, text)
    definition = loans.define(Project(ROOT), "loans-training")
    spec = json_format.MessageToDict(definition.build(CompileSettings()).pipeline_spec)
    assert len(spec["root"]["inputDefinitions"]["parameters"]) <= 4
    return [task.name for task in tasks_of(spec)]


def test_what_a_team_does_not_use_costs_it_no_pod(tmp_path):
    plain = tasks(LOANS, tmp_path)
    assert len(plain) <= 21
    assert not [name for name in plain if "serving" in name or "histor" in name or "stored" in name]
    more = {
        "serving_data: [{uri: log.csv}]": {"resolve-serving-source", "import-serving-snapshot"},
        "history: [{uri: past.csv, split: a}]": {"resolve-history", "import-history"},
        "stored_features: [{uri: past.csv, split: a}]": {"resolve-stored-features", "import-stored-features"},
        "reference_tables: [{uri: t.csv, table: t}]": {"resolve-reference-tables"},
        "behavior_suite: [{uri: behavior.yaml}]": {"resolve-behavior-suite", "check-behavior"},
        "curated_schema: [{uri: schema.pbtxt}]": {"resolve-curated-schema"},
    }
    every = LOANS.replace("model_name: loans}", "model_name: loans, " + ", ".join(more) + "}")
    assert set(tasks(every, tmp_path)) - set(plain) == set.union(*more.values(), {"compute-serving-statistics"})


def test_the_published_schema_is_the_files():
    published = (ROOT / "docs" / "schemas" / "gauntlet.schema.json").read_text()
    assert published == json_schema_text(), "run python docs/team_schema.py"


def test_the_example_is_a_form_of_two_fields_and_twenty_one_tasks(tmp_path):
    example = read_team(ROOT / "examples" / "gauntlet.yaml")
    spec = spec_of(Project(ROOT), example)
    assert list(spec["root"]["inputDefinitions"]["parameters"]) == ["data", "promote"]
    assert len(tasks_of(spec)) == 21
