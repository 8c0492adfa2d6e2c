"""No way of taking a component over may end in a cache answering what acts or resolves."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from google.protobuf import json_format
from kfp import components, dsl
from kfp.client.client import _override_caching_options
from kfp.dsl.base_component import BaseComponent

from gauntlet.orchestration.compiler import compile_all, compile_components, documents
from gauntlet.orchestration.definition import declarations
from gauntlet.orchestration.graph import Task, tasks_of
from gauntlet.orchestration.placement import CompileSettings
from gauntlet.orchestration.project import find_project, load_components

PROJECT = find_project(Path(__file__))


@pytest.fixture(scope="module")
def texts() -> dict[str, str]:
    """The standalone spec of every component."""
    return {spec.name: spec.text for spec in compile_components(PROJECT, CompileSettings())}


@pytest.fixture(scope="module")
def imported() -> dict[str, Any]:
    return load_components(PROJECT)


def uncached() -> set[str]:
    return {
        name
        for name, declaration in declarations().items()
        if not declaration.caching.cached and declaration.image != "toy"
    }


def arguments(component: BaseComponent) -> dict[str, Any]:
    """Constants for its parameters, and artifacts from importers."""
    constants = {"String": "text", "Integer": 1, "Float": 0.5, "Boolean": True, "List": [], "Dict": {}}
    classes = {artifact_class.schema_title: artifact_class for artifact_class in (dsl.Artifact, dsl.Dataset, dsl.Model)}
    given = {}
    for name in component.required_inputs:
        kind = component.component_spec.inputs[name].type.split("@")[0]
        if kind in classes:
            source = dsl.importer(artifact_uri="gs://b/a", artifact_class=classes[kind], reimport=False)
            given[name] = source.output
        elif name != "run_id":
            given[name] = constants[kind]
    return given


def in_a_plain_pipeline(component: BaseComponent, **named: Any) -> Any:
    """The component twice in somebody's own pipeline."""

    @dsl.pipeline(name="plain")
    def plain():
        component(**arguments(component), **named)
        component(**arguments(component), **named)

    return plain.pipeline_spec


def tasks(spec: Any) -> Iterator[Task]:
    yield from (task for task in tasks_of(json_format.MessageToDict(spec)) if task.component)


def loaded(text: str) -> BaseComponent:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "component.yaml"
        path.write_text(text)
        return components.load_component_from_file(str(path))


def no_cache_answers(task: Task) -> bool:
    """Kubeflow's cache key holds every parameter; the run's identifier is another one in the next run."""
    return task.bound and not task.cached


def test_there_is_something_to_look_at(texts, imported):
    assert texts.keys() == imported.keys()
    assert {"rollback", "rollout_canary", "promote", "register_model", "resolve_source"} < uncached()


def test_a_component_uploaded_by_itself(texts):
    for name, text in texts.items():
        (task,) = tasks_of(documents(text))
        assert task.cached is (name not in uncached()), name
        assert task.bound is (name in uncached()), name
        assert "run_id" not in documents(text)["root"]["inputDefinitions"].get("parameters", {}), name


@pytest.mark.parametrize("name", sorted({"rollback", "promote", "fetch_champion", "check_serving", "register_model"}))
def test_a_component_imported_into_a_plain_pipeline(imported, name):
    found = list(tasks(in_a_plain_pipeline(imported[name])))
    assert len(found) == 2
    assert all(map(no_cache_answers, found))


def test_every_component_imported_into_a_plain_pipeline(imported):
    for name in sorted(uncached()):
        assert all(map(no_cache_answers, tasks(in_a_plain_pipeline(imported[name])))), name


def test_every_component_loaded_from_its_yaml(texts):
    for name in sorted(uncached()):
        found = list(tasks(in_a_plain_pipeline(loaded(texts[name]))))
        assert len(found) == 2, name
        assert all(map(no_cache_answers, found)), name


def test_one_with_optional_artifacts_asks_for_its_run_when_loaded(toy):
    # Kubeflow Pipelines passes no optional artifact into a nested pipeline, so it has to stay a bare component.
    toy.edit("components/toy/count_words.py", "Caching.PURE", "Caching.ACTING")
    component = loaded(
        {spec.name: spec.text for spec in compile_components(toy.project, CompileSettings())}["count_words"]
    )
    with pytest.raises(TypeError, match="missing 1 required argument: run_id"):
        in_a_plain_pipeline(component)
    assert all(task.bound for task in tasks(in_a_plain_pipeline(component, run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER)))


def the_next_run_differs(spec: Any) -> bool:
    return all(task.bound for task in tasks(spec) if task.component in uncached())


@pytest.mark.parametrize("take", ["imported", "loaded"])
def test_a_client_that_switches_caching_on_for_a_whole_run(texts, imported, take):
    for name in sorted(uncached()):
        spec = in_a_plain_pipeline(imported[name] if take == "imported" else loaded(texts[name]))
        _override_caching_options(spec, True)
        assert the_next_run_differs(spec), name


@pytest.mark.repository
def test_the_pipelines_under_a_client_that_switches_caching_on():
    for compiled in compile_all(PROJECT, CompileSettings()):
        spec, *_ = yaml.safe_load_all(compiled.text)
        found = [task for task in tasks_of(spec) if task.component in uncached()]
        assert all(task.bound for task in found), compiled.name


def test_pure_components_stay_bare_and_cached(texts):
    for name in texts.keys() - uncached():
        component = loaded(texts[name])
        assert component.component_spec.implementation.container is not None, name
        assert "run_id" not in component.component_spec.inputs, name


def test_one_that_is_called_outside_a_pipeline_is_not_asked_about_caching(imported, monkeypatch):
    called: list[dict[str, Any]] = []

    class Ran:
        set_caching_options: Callable[..., None] = None  # type: ignore[assignment]  # as kfp's, final by then

    monkeypatch.setattr(BaseComponent, "__call__", lambda self, **named: called.append(named) or Ran())
    imported["promote"](model_name="loans", version="1")
    assert called[0]["run_id"] == dsl.PIPELINE_JOB_ID_PLACEHOLDER
