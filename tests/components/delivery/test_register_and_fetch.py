"""register_model and fetch_champion as kfp's executor calls them: artifacts with metadata, lineage, exit codes."""

import importlib
import sys
from pathlib import Path

import pytest
from kfp.dsl import Artifact, Dataset, Model

from builders.submission import make_evidence, verdict
from gauntlet.lineage.document import Document
from gauntlet.lineage.record import parse_chain
from gauntlet.storage import absence
from gauntlet.verdict import Status, write_verdicts

COMPONENTS = Path(__file__).parents[3] / "components" / "delivery"


def component(name):
    sys.path.insert(0, str(COMPONENTS))
    try:
        return getattr(importlib.import_module(name), name)
    finally:
        sys.path.remove(str(COMPONENTS))


@pytest.fixture(scope="module", autouse=True)
def registry(tmp_path_factory):
    """A local registry for all tests here: making its tables takes seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path_factory.mktemp('registry')}/mlflow.db")
        patch.delenv("MLFLOW_REGISTRY_URI", raising=False)
        yield


def fetch(folder, model_name):
    champion, statistics = Model(uri=str(folder / "champion")), Artifact(uri=str(folder / "statistics"))
    version = component("fetch_champion")(model_name=model_name, champion=champion, statistics=statistics)
    return version, champion, statistics


def inputs(root, *statuses, weights="1 2 3"):
    evidence = make_evidence(root, weights=weights)
    kinds = {"model": Model, "snapshot": Dataset, "schema": Artifact, "statistics": Artifact}
    metadata = {s.name: {"digest": s.digest, "lineage": s.chain} for s in evidence.subjects()}
    artifacts = {name: kind(uri=str(root / name), metadata=metadata[name]) for name, kind in kinds.items()}
    said = [verdict(status, f"gate_{number}") for number, status in enumerate(statuses or [Status.PASS], start=1)]
    write_verdicts(root / "verdicts", said)
    return {**artifacts, "verdicts": Artifact(uri=str(root / "verdicts"))}


def register(artifacts, folder, **parameters):
    lineage = Artifact(uri=str(folder / "lineage"))
    version = component("register_model")(**artifacts, lineage=lineage, **parameters)
    return version, lineage


def test_before_anything_is_registered_both_outputs_say_so(tmp_path):
    version, champion, statistics = fetch(tmp_path, "nobody yet")
    assert version == ""
    assert absence(Path(champion.path)) == absence(Path(statistics.path)) == "nobody yet has no champion yet"
    assert parse_chain(champion.metadata["lineage"])[-1].component == "fetch_champion"


def test_what_is_registered_is_fetched_with_its_digest_and_history(tmp_path):
    artifacts = inputs(tmp_path / "in", Status.PASS, Status.INCONCLUSIVE)
    version, lineage = register(artifacts, tmp_path, model_name="loans", run="run-7")
    assert version == "1"
    said = {name: lineage.metadata[name] for name in ("model", "version", "role", "champion")}
    assert said == {"model": "loans", "version": "1", "role": "champion", "champion": "1"}
    assert lineage.metadata["registry"].startswith("sqlite:///")
    document = Document.read(Path(lineage.path))
    assert document.run == "run-7"
    assert [result.status for result in document.verdicts] == ["pass", "inconclusive"]
    assert document.training.parameters["seed"] == 7

    found, champion, statistics = fetch(tmp_path / "back", "loans")
    assert found == "1"
    assert champion.metadata["digest"] == artifacts["model"].metadata["digest"]
    assert (Path(champion.path) / "data/weights.txt").read_text() == "1 2 3"
    assert statistics.metadata["digest"] == artifacts["statistics"].metadata["digest"]
    made = [record.component for record in parse_chain(champion.metadata["lineage"])]
    assert made == ["import_snapshot", "compute_statistics", "infer_schema", "train_model", "fetch_champion"]


def test_registering_again_after_everything_was_cached_returns_the_same_version(tmp_path):
    artifacts = inputs(tmp_path / "in")
    versions = [register(artifacts, tmp_path / side, model_name="again", run=side)[0] for side in ("a", "b")]
    assert versions == ["1", "1"]


def test_the_second_model_is_challenger_and_the_champion_stays(tmp_path):
    register(inputs(tmp_path / "a"), tmp_path / "a", model_name="rivals")
    rival = inputs(tmp_path / "b", weights="4 5")
    version, lineage = register(rival, tmp_path / "b", model_name="rivals")
    assert version == "2"
    assert (lineage.metadata["role"], lineage.metadata["champion"]) == ("challenger", "1")
    assert fetch(tmp_path / "c", "rivals")[0] == "1"
    assert register(rival, tmp_path / "b", model_name="rivals", promote="always")[0] == "2"
    assert fetch(tmp_path / "d", "rivals")[0] == "2"


@pytest.mark.parametrize(
    ("statuses", "parameters", "exit_code", "said"),
    [
        pytest.param([Status.PASS, Status.FAIL], {}, 2, "gate_2 (fail)", id="refused by a gate"),
        pytest.param([Status.PASS], {"promote": "sometimes"}, 2, "first, always, never", id="unknown promotion"),
        pytest.param([Status.PASS], {"model_name": "a/b"}, 2, "model_name", id="impossible name"),
        pytest.param([Status.PASS], {"policy": {"advisry": []}}, 2, "Did you mean 'advisory'", id="unknown policy"),
    ],
)
def test_wrong_use_ends_the_task_with_its_exit_code_and_writes_nothing(
    statuses, parameters, exit_code, said, tmp_path, capsys
):
    with pytest.raises(SystemExit) as stopped:
        register(inputs(tmp_path, *statuses), tmp_path, **{"model_name": "refused", **parameters})
    assert stopped.value.code == exit_code
    assert said in capsys.readouterr().err
    assert not (tmp_path / "lineage").exists()
    assert fetch(tmp_path / "back", "refused")[0] == ""


def test_an_advisory_gate_may_fail(tmp_path):
    artifacts = inputs(tmp_path, Status.PASS, Status.FAIL)
    assert register(artifacts, tmp_path, model_name="advised", policy={"advisory": ["gate_2"]})[0] == "1"


def test_a_champion_changed_in_the_store_ends_the_task(tmp_path, capsys):
    register(inputs(tmp_path / "in", weights="8 8"), tmp_path, model_name="forged")
    from mlflow import MlflowClient

    stored = Path(MlflowClient().get_model_version("forged", "1").source.removeprefix("file://"))
    (stored / "MLmodel").write_text("flavors:\n  python_function:\n    loader_module: evil\n")
    with pytest.raises(SystemExit) as stopped:
        fetch(tmp_path / "back", "forged")
    assert stopped.value.code == 3
    assert "not what was registered" in capsys.readouterr().err
    assert not (tmp_path / "back/champion").exists()
