"""The four components on statistics and schema, as KFP's executor would call them."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from gauntlet.storage import absence, write_absent
from gauntlet.verdict import Status, Verdict
from snapshots import write_snapshot

pytestmark = pytest.mark.skipif(
    os.environ.get("_KFP_RUNTIME") != "true", reason="components run as KFP's executor runs them: _KFP_RUNTIME=true"
)
COMPONENTS = Path(__file__).resolve().parents[3] / "components" / "data"


def load(name: str):
    spec = importlib.util.spec_from_file_location(name, COMPONENTS / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def artifact(path: Path, kind: str = "Artifact"):
    from kfp import dsl

    return getattr(dsl, kind)(name=path.name, uri=str(path))


def data(rows: int, seed: int, **changes) -> pa.Table:
    rng = np.random.default_rng(seed)
    found = {
        "income": pa.array(rng.lognormal(10, 0.5, rows)),
        "city": pa.array(rng.choice(["Oslo", "Bern"], rows).tolist()),
    }
    return pa.table(found | changes)


def test_the_four_in_a_row(tmp_path):
    rows, seed = 2000, 5
    train = data(rows, 0).append_column("label", pa.array(["no", "yes"] * (rows // 2)))
    write_snapshot(tmp_path / "snapshot", {"train": train}, {"label": "label"})
    rescaled = np.asarray(data(rows, seed)["income"]) * 1000
    write_snapshot(tmp_path / "served", {"serving": data(rows, seed, income=pa.array(rescaled))})
    write_absent(tmp_path / "none", "no champion yet")
    out = {name: artifact(tmp_path / "out" / name) for name in (
        "statistics", "serving", "schema", "validated", "proposal", "skew")}  # fmt: skip
    pages = {name: artifact(tmp_path / "out" / f"{name}.html", "HTML") for name in ("a", "b", "c", "d", "e")}
    compute = load("compute_statistics")
    compute(snapshot=artifact(tmp_path / "snapshot", "Dataset"), statistics=out["statistics"], report=pages["a"])
    compute(snapshot=artifact(tmp_path / "served", "Dataset"), statistics=out["serving"], report=pages["b"])
    load("infer_schema")(
        statistics=out["statistics"], schema=out["schema"], report=pages["c"], curated=[], policy={"range_margin": 1.0}
    )
    load("validate_schema")(
        statistics=out["statistics"],
        serving=out["serving"],
        schema=out["schema"],
        verdict=out["validated"],
        proposal=out["proposal"],
        report=pages["d"],
        policy={},
    )
    load("detect_skew")(
        statistics=out["statistics"],
        serving=out["serving"],
        previous=artifact(tmp_path / "none"),
        schema=out["schema"],
        verdict=out["skew"],
        report=pages["e"],
        policy={"replicates": 1000.0},  # KFP hands integers on as floats
    )
    validated, skew = (Verdict.read(Path(out[name].path)) for name in ("validated", "skew"))
    assert [check.name for check in validated.with_status(Status.FAIL)] == ["serving: income, out of range"]
    assert [check.name for check in skew.with_status(Status.FAIL)] == ["serving: income, distribution"]
    assert "(×1000)" in skew.summary
    assert (Path(out["proposal"].path) / "schema.pbtxt").is_file()
    for page in pages.values():
        text = Path(page.path).read_text()
        assert "<html" in text
        assert "http://" not in text.replace("http://www.w3.org", "")
    lineage = json.loads(out["skew"].metadata["lineage"])
    assert {record["component"] for record in lineage} == {
        "compute_statistics", "infer_schema", "detect_skew"}  # fmt: skip


def test_no_snapshot_no_statistics(tmp_path):
    write_absent(tmp_path / "none", "no serving source is configured")
    statistics, page = artifact(tmp_path / "statistics"), artifact(tmp_path / "page.html", "HTML")
    load("compute_statistics")(snapshot=artifact(tmp_path / "none", "Dataset"), statistics=statistics, report=page)
    assert absence(Path(statistics.path)) == "no serving source is configured"
    assert "no serving source is configured" in Path(page.path).read_text()


@pytest.mark.parametrize(
    ("name", "more", "code"),
    [("infer_schema", {"policy": {"margin": 1}}, 2), ("infer_schema", {"curated": [{"uri": "x"}]}, 2)],
    ids=["unknown policy key", "not a pinned file"],
)
def test_wrong_use_ends_with_exit_status_2_and_writes_nothing(tmp_path, name, more, code):
    write_snapshot(tmp_path / "snapshot", {"train": data(100, 0)})
    statistics = artifact(tmp_path / "statistics")
    load("compute_statistics")(
        snapshot=artifact(tmp_path / "snapshot", "Dataset"),
        statistics=statistics,
        report=artifact(tmp_path / "a.html", "HTML"),
    )
    schema, page = artifact(tmp_path / "schema"), artifact(tmp_path / "b.html", "HTML")
    with pytest.raises(SystemExit) as stopped:
        load(name)(statistics=statistics, schema=schema, report=page, **{"curated": [], "policy": {}, **more})
    assert stopped.value.code == code
    assert not Path(schema.path).exists()
    assert not Path(page.path).exists()
