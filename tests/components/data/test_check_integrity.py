"""The component as KFP's executor would call it, with sources resolved by its neighbour."""

import importlib.util
import json
from pathlib import Path

import pyarrow as pa
import pytest

from gauntlet.errors import EXIT_USAGE
from gauntlet.verdict import Status, Verdict
from snapshots import write_snapshot

COMPONENTS = Path(__file__).parents[3] / "components/data"


def component(name):
    spec = importlib.util.spec_from_file_location(name, COMPONENTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


@pytest.fixture(autouse=True)
def _in_a_container(monkeypatch):
    monkeypatch.setenv("_KFP_RUNTIME", "true")


def as_doubles(value):
    """What a pipeline makes of nested parameters: every number a double, and keys in another order."""
    return json.loads(json.dumps(value, sort_keys=True), parse_int=float)


def run(tmp_path, policy, sources=()):
    from kfp import dsl

    rows = pa.table({"id": list(range(400)), "customer": [n % 4 for n in range(400)], "y": [0, 1] * 200})
    write_snapshot(tmp_path / "snapshot", {"train": rows}, {"label": "y", "key": ["id"]})
    out = {name: getattr(dsl, kind)(name=name, uri=str(tmp_path / name)) for name, kind in (
        ("snapshot", "Dataset"), ("verdict", "Artifact"), ("report", "HTML"))}  # fmt: skip
    pinned = component("resolve_source")(sources=list(sources))
    component("check_integrity")(**out, tables=as_doubles(pinned), policy=as_doubles(policy))
    return Verdict.read(tmp_path / "verdict"), (tmp_path / "report").read_text(), out["verdict"]


def test_verdict_and_report(tmp_path):
    (tmp_path / "customers.csv").write_text("customer,name\n0,a\n1,b\n2,c\n")
    verdict, page, artifact = run(
        tmp_path,
        {"references": [{"columns": ["customer"], "table": "customers"}], "examples": 1},
        [{"uri": str(tmp_path / "customers.csv"), "table": "customers"}],
    )
    assert [check.name for check in verdict.with_status(Status.FAIL)] == [
        "reference: customer in customers",
        "leakage: customer",
    ]
    assert "`3 (100 rows)`" in verdict.summary
    assert "<html" in page
    assert "Is the table sound?" in page
    assert {record["component"] for record in json.loads(artifact.metadata["lineage"])} == {"check_integrity"}


def test_nothing_need_be_configured(tmp_path):
    verdict, _, _ = run(tmp_path, {"leakage": False})
    assert [check.name for check in verdict.checks] == ["key: id", "labels: conflicts"]


def test_a_policy_that_cannot_be_read_names_its_field(tmp_path, capsys):
    with pytest.raises(SystemExit) as stopped:
        run(tmp_path, {"referenses": []})
    assert stopped.value.code == EXIT_USAGE
    assert "policy.referenses: unknown key; found 'referenses'. Did you mean 'references'?" in capsys.readouterr().err
