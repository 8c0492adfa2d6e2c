"""The two components as an executor calls them: plain lists and dicts in, an artifact with metadata out."""

import importlib.util
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from builders.sources import write_csv
from gauntlet.data.snapshot import Snapshot
from gauntlet.storage import absence

COMPONENTS = Path(__file__).parents[3] / "components/data"


def component(name):
    spec = importlib.util.spec_from_file_location(name, COMPONENTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


@pytest.fixture(autouse=True)
def _in_a_container(monkeypatch):
    monkeypatch.setenv("_KFP_RUNTIME", "true")


@pytest.fixture
def artifact(tmp_path):
    return SimpleNamespace(path=str(tmp_path / "snapshot"), metadata={}, schema_title="system.Dataset")


def as_doubles(value):
    """What a pipeline makes of nested parameters: every number a double, and keys in another order."""
    return json.loads(json.dumps(value, sort_keys=True), parse_int=float)


def test_a_file_becomes_a_snapshot(tmp_path, artifact):
    path = write_csv(tmp_path / "a.csv", id=list(range(100)), x=list(range(100)), y=["no", "yes"] * 50)
    pinned = component("resolve_source")(sources=[{"uri": str(path)}])
    component("import_snapshot")(
        pinned=as_doubles(pinned),
        roles={"label": "y", "key": ["id"]},
        reader=as_doubles({"values": {"y": {"yes": 1, "no": 0}}}),
        split=as_doubles({"fractions": {"train": 0.5, "validation": 0.25, "test": 0.25}}),
        purpose="training",
        snapshot=artifact,
    )
    snapshot = Snapshot.open(Path(artifact.path))
    assert snapshot.columns == {"id": "int", "x": "int", "y": "int"}
    assert artifact.metadata["digest"] == snapshot.digest
    rows = {name: artifact.metadata[f"rows_{name}"] for name in ("train", "validation", "test")}
    assert rows == dict(snapshot.splits)
    assert all(isinstance(value, str | int) for value in artifact.metadata.values())
    assert "import_snapshot" in artifact.metadata["lineage"]


def test_no_source_is_an_absent_snapshot(artifact):
    assert component("resolve_source")(sources=[]) == []
    component("import_snapshot")(pinned=[], roles={}, reader={}, split={}, purpose="serving", snapshot=artifact)
    assert absence(Path(artifact.path)) == "no source is given"


def test_no_source_to_learn_from_is_wrong_use(artifact, capsys):
    with pytest.raises(SystemExit) as caught:
        component("import_snapshot")(pinned=[], roles={"label": "y"}, snapshot=artifact)
    assert caught.value.code == 2
    assert "data: no file to learn from is named; found []. Name one at least" in capsys.readouterr().err
    assert not Path(artifact.path).exists()


@pytest.mark.parametrize("source", ["y.csv", {"url": "y.csv"}])
def test_a_source_of_another_shape_is_wrong_use(source, capsys):
    with pytest.raises(SystemExit) as caught:
        component("resolve_source")(sources=[source])
    assert caught.value.code == 2
    assert "uri" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ({"roles": {"lable": "y"}}, 2, "Did you mean 'label'"),
        ({"reader": {"format": "xml"}}, 2, "reader.format"),
        ({"split": {"fractions": {"train": 2}}}, 2, "split.fractions"),
        ({"roles": {"label": "z"}}, 2, "no such column"),
    ],
)
def test_errors_become_exit_codes_and_leave_nothing(tmp_path, artifact, capsys, arguments, status, message):
    path = write_csv(tmp_path / "a.csv", x=[1, 2], y=[0, 1])
    pinned = component("resolve_source")(sources=[{"uri": str(path)}])
    call = {"roles": {"label": "y"}, "reader": {}, "split": {}, "purpose": "training", **arguments}
    with pytest.raises(SystemExit) as caught:
        component("import_snapshot")(pinned=pinned, snapshot=artifact, **call)
    assert caught.value.code == status
    assert message in capsys.readouterr().err
    assert not Path(artifact.path).exists()


@pytest.mark.parametrize("name", ["resolve_source", "import_snapshot"])
def test_loading_a_component_imports_nothing_heavy(name):
    import subprocess

    code = (
        "import runpy, sys; "
        f"runpy.run_path({str(COMPONENTS / (name + '.py'))!r}); "
        "print([m for m in ('pandas', 'pyarrow', 'google.cloud.storage', 'tensorflow') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment())
    assert found.stdout.strip() == "[]"


def environment():
    import os

    source = str(Path(__file__).parents[3] / "src")
    return {**os.environ, "_KFP_RUNTIME": "true", "PYTHONPATH": source}
