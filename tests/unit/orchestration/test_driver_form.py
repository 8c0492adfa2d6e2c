"""Every component's executor, handed what a cluster's driver hands over."""

from __future__ import annotations

import importlib.util
import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from kfp.dsl.executor import Executor
from kfp.dsl.types.type_annotations import get_inner_type, is_artifact_wrapped_in_Output

from gauntlet.orchestration.component import Caching, component
from gauntlet.orchestration.declaration import RUN_ID
from gauntlet.orchestration.executor_messages import as_stored

FILES = sorted((Path(__file__).parents[3] / "components").glob("*/*.py"))
VALUES = {str: "text", int: 1, float: 0.5, bool: True, list: [], dict: {}}


@pytest.fixture(autouse=True)
def runtime(monkeypatch):
    monkeypatch.setenv("_KFP_RUNTIME", "true")


def declared(path: Path) -> inspect.Signature:
    """The signature as the component's author wrote it."""
    spec = importlib.util.spec_from_file_location(f"component_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return inspect.signature(inspect.unwrap(getattr(module, path.stem)))


def is_artifact(parameter: inspect.Parameter) -> bool:
    return "kfp.dsl" in str(parameter.annotation)


def executor_input(signature: inspect.Signature, folder: Path, *, optional: bool) -> dict[str, Any]:
    """Every artifact in the driver's form, every output in the launcher's; optional inputs given or left out."""
    inputs, outputs, parameters = {}, {}, {RUN_ID: "6f0c"}
    for number, (name, parameter) in enumerate(signature.parameters.items(), start=40):
        given = optional or parameter.default is inspect.Parameter.empty
        if not is_artifact(parameter):
            if parameter.default is inspect.Parameter.empty:
                parameters[name] = VALUES[parameter.annotation]
        elif is_artifact_wrapped_in_Output(parameter.annotation):
            kind = {"schemaTitle": get_inner_type(parameter.annotation).schema_title, "schemaVersion": "0.0.1"}
            outputs[name] = {"artifacts": [{"name": name, "uri": str(folder / name), "type": kind}]}
        elif given:
            (folder / name).write_text(name)
            written = {"name": name, "uri": str(folder / name), "metadata": {"rows_test": 788, "digest": "sha256:0"}}
            inputs[name] = {"artifacts": [as_stored(written, number)]}
    result = {"parameters": {"Output": {"outputFile": str(folder / "out" / "Output")}}}
    target = {"artifacts": outputs, "outputFile": str(folder / "out" / "executor_output.json"), **result}
    return {"inputs": {"artifacts": inputs, "parameterValues": parameters}, "outputs": target}


def test_there_are_components():
    assert len(FILES) > 25


@pytest.mark.parametrize("optional", [True, False], ids=["everything given", "only what is required"])
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_each_component_gets_its_artifacts_from_a_driver_that_names_no_type(path, optional, tmp_path):
    """The component's own signature and decorator under kfp's executor; only its body stands back."""
    signature, received = declared(path), {}

    def body(**arguments):
        received.update(arguments)
        return {str: "done", int: 1}.get(signature.return_annotation)

    body.__signature__ = signature
    body.__annotations__ = {name: parameter.annotation for name, parameter in signature.parameters.items()}
    body.__annotations__["return"] = signature.return_annotation
    decorated = component(image=path.parent.name, caching=Caching.ACTING)(body)
    message = executor_input(signature, tmp_path, optional=optional)

    Executor(json.loads(json.dumps(message)), decorated).execute()

    assert RUN_ID not in received
    for name, parameter in signature.parameters.items():
        if not is_artifact(parameter):
            continue
        if name in message["inputs"]["artifacts"]:
            given = received[name]
            assert isinstance(given, get_inner_type(decorated.__annotations__[name]))
            assert given.path == str(tmp_path / name)
            assert given.metadata["rows_test"] == 788.0
        elif parameter.default is None:
            assert received.get(name) is None
        else:
            assert received[name].path == str(tmp_path / name)
