from __future__ import annotations

import inspect
from typing import Any

import pytest
from google.protobuf import json_format

from gauntlet.errors import ConfigurationError
from gauntlet.orchestration.compiler import compile_pipeline
from gauntlet.orchestration.definition import pipeline
from gauntlet.orchestration.graph import tasks_of
from gauntlet.orchestration.placement import CompileSettings
from gauntlet.orchestration.project import load_pipeline
from toy import ToyProject

LONGER = '''from components.toy.finish import finish
from kfp import dsl
from pipelines.words import words

from gauntlet.orchestration.definition import pipeline


def say(run: str):
    return finish(count=0, run=run).set_display_name("say")


@pipeline(name="more-words", on_exit=say)
def more_words(count: int, run: str, path: str = "", text: str = "word", options: dict = {}):
    """Make words, and finish once more.

    Args:
        count: How many words.
        run: What the run is called.
        path: File whose text is repeated instead of the text.
        text: What is repeated.
        options: Nothing looks at them.

    Returns:
        The last task.
    """
    given = locals()
    words.wire(given, how="gate")
    return finish(count=count, run=dsl.PIPELINE_JOB_NAME_PLACEHOLDER).set_display_name("finish-again")
'''


@pytest.fixture
def longer(toy: ToyProject) -> ToyProject:
    toy.write("pipelines/more_words.py", LONGER)
    return toy


def spec_of(toy: ToyProject) -> dict[str, Any]:
    return dict(json_format.MessageToDict(load_pipeline(toy.project, "more_words").build().pipeline_spec))


def test_a_pipeline_takes_the_tasks_of_another_in(longer):
    found = {task.name: task for task in tasks_of(spec_of(longer))}
    inside = {"resolve-text", "make-words", "make-more-words", "count-words", "count-all-words"}
    assert inside | {"finish-again", "say"} <= found.keys()
    assert "outputDefinitions" not in spec_of(longer)["root"]
    assert compile_pipeline(longer.project, "more_words", CompileSettings()).name == "more_words"


def test_a_value_that_is_always_the_same_is_no_parameter(longer):
    graph = spec_of(longer)["components"]["comp-exit-handler-1"]["dag"]["tasks"]
    assert graph["finish-2"]["inputs"]["parameters"]["how"] == {"runtimeValue": {"constant": "gate"}}


def test_the_exit_task_runs_whatever_happened_before(longer):
    (task,) = (
        task_spec
        for task_spec in spec_of(longer)["root"]["dag"]["tasks"].values()
        if task_spec["taskInfo"]["name"] == "say"
    )
    assert task["triggerPolicy"] == {"strategy": "ALL_UPSTREAM_TASKS_COMPLETED"}
    assert task["inputs"]["parameters"]["run"] == {"componentInputParameter": "run"}


def test_a_parameter_of_the_inner_pipeline_is_not_left_to_its_default_in_silence(longer):
    longer.edit("pipelines/more_words.py", ', text: str = "word"', "")
    longer.edit("pipelines/more_words.py", "        text: What is repeated.\n", "")
    with pytest.raises(ConfigurationError, match="text: is a parameter of words, which this pipeline contains"):
        spec_of(longer)


JOINED = """from components.toy.finish import finish
from pipelines.words import words

from gauntlet.orchestration.definition import pipeline


@pipeline(name="words-as-they-are", parameters_of=[words], without=["how"])
def words_as_they_are(**given):
    \"\"\"Make the same words.\"\"\"
    words.wire(given, how="gate")
"""


def test_a_pipeline_takes_the_parameters_of_those_it_contains(toy):
    toy.write("pipelines/words_as_they_are.py", JOINED)
    joined = load_pipeline(toy.project, "words_as_they_are")
    alone = load_pipeline(toy.project, "words")
    inputs, expected = (
        json_format.MessageToDict(definition.build().pipeline_spec)["root"]["inputDefinitions"]["parameters"]
        for definition in (joined, alone)
    )
    assert expected.pop("how")
    assert inputs == expected
    assert all(entry["description"] for entry in inputs.values())


def test_the_first_pipeline_that_has_a_parameter_says_what_it_is(toy):
    first = """from gauntlet.orchestration.definition import pipeline


@pipeline(name="first")
def first(count: int, text: str = "mine"):
    \"\"\"First.

    Args:
        count: Mine, and required.
        text: Mine.
    \"\"\"
"""
    toy.write("pipelines/first.py", first)
    words = load_pipeline(toy.project, "words").function
    definition = load_pipeline(toy.project, "first")

    @pipeline(name="both", parameters_of=[definition, load_pipeline(toy.project, "words")])
    def both(**given: Any) -> None:
        """Both."""

    parameters = inspect.signature(both.function).parameters
    assert set(parameters) == {"count", "text"} | set(inspect.signature(words).parameters)
    assert next(iter(parameters)) == "count"
    assert parameters["count"].default is inspect.Parameter.empty
    assert parameters["text"].default == "mine"
    assert "    count: Mine, and required." in (both.function.__doc__ or "")
