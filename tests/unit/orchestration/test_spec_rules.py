"""Each rule is broken in the compiled spec itself, independently of the source."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from google.protobuf import json_format

from gauntlet.orchestration.definition import declarations
from gauntlet.orchestration.placement import CompileSettings
from gauntlet.orchestration.project import load_pipeline
from gauntlet.orchestration.spec_rules import LARGEST_BYTES, violations


@pytest.fixture
def spec(toy) -> dict[str, Any]:
    return dict(json_format.MessageToDict(load_pipeline(toy.project, "words").build().pipeline_spec))


def violations_of(spec: dict[str, Any], text: str = "") -> list[str]:
    return violations(spec, text, declarations(), CompileSettings())


def test_the_toy_keeps_the_rules(spec):
    assert violations_of(spec) == []


def test_a_spec_without_tasks_is_not_fine(spec):
    empty = copy.deepcopy(spec)
    empty["root"]["dag"]["tasks"] = {}
    assert violations_of(empty) == ["The spec contains no task."]


@pytest.mark.parametrize(
    ("task", "cached", "sentence"),
    [
        ("finish", True, "finish: is acting and cached."),
        ("resolve-text", True, "resolve-text: is resolving and cached."),
        ("make-words", False, "make-words: is pure and not cached."),
    ],
)
def test_caching_follows_the_class(spec, task, cached, sentence):
    spec["root"]["dag"]["tasks"][task]["cachingOptions"] = {"enableCache": cached}
    assert violations_of(spec) == [sentence]


def test_what_acts_is_bound_to_its_run(spec):
    spec["root"]["dag"]["tasks"]["finish"]["inputs"]["parameters"]["run_id"] = {"runtimeValue": {"constant": "1"}}
    assert violations_of(spec) == ["finish: is acting and not bound to its run; a cache could answer it."]


def test_no_task_may_take_longer_than_the_run(spec):
    pods = {"exec-finish": {"activeDeadlineSeconds": "7200"}, "exec-make-words": {"activeDeadlineSeconds": "60"}}
    limits = {"deploymentSpec": {"executors": pods}, "pipelineConfig": {"activeDeadlineSeconds": 3600}}
    spec["platforms"] = {"kubernetes": limits}
    assert violations_of(spec) == ["exec-finish: timeout 7,200 s exceeds the run's 3,600 s: raise deadline_seconds."]


def test_images_are_those_of_the_settings(spec):
    spec["deploymentSpec"]["executors"]["exec-finish"]["container"]["image"] = "elsewhere/toy:1"
    assert violations_of(spec) == ["finish: runs in elsewhere/toy:1, not in gauntlet/toy:0.1.0."]


def test_an_accelerator_is_for_training(spec):
    container = spec["deploymentSpec"]["executors"]["exec-finish"]["container"]
    container["resources"] = {"accelerator": {"resourceType": "nvidia.com/gpu", "resourceCount": "1"}}
    assert violations_of(spec) == ["finish: requests nvidia.com/gpu; only train_model may."]


def test_no_code_in_the_spec(spec):
    spec["deploymentSpec"]["executors"]["exec-finish"]["container"]["command"] = ["sh", "-c", "pip install x"]
    assert violations_of(spec) == ["exec-finish: has a custom command; a component's code belongs into its image."]


def test_every_input_is_described(spec):
    del spec["root"]["inputDefinitions"]["parameters"]["text"]["description"]
    spec["components"]["comp-count-words"]["inputDefinitions"]["artifacts"]["words"]["description"] = " "
    assert violations_of(spec) == [
        "the pipeline: input text has no description; add it under Args.",
        "count-words: input words has no description; add it under Args.",
    ]


def test_every_output_is_described(spec):
    outputs = spec["components"]["comp-count-words"]["outputDefinitions"]
    assert outputs["parameters"]["Output"]["description"] == "Their number."
    assert outputs["artifacts"]["verdict"]["description"] == "Whether there are any."
    del outputs["parameters"]["Output"]["description"]
    outputs["artifacts"]["verdict"]["description"] = ""
    assert violations_of(spec) == [
        "count-words: output Output has no description; add it under Args or Returns.",
        "count-words: output verdict has no description; add it under Args or Returns.",
    ]


def test_what_the_api_would_refuse(spec):
    spec["pipelineInfo"]["name"] = "-words"
    assert [line[:20] for line in violations_of(spec, "x" * (LARGEST_BYTES + 1))] == [
        "The name '-words' is",
        "The spec has 33,554,",
    ]
