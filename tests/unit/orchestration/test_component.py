"""What ``@component`` adds around a function at run time: lineage and exit codes."""

import errno
import inspect
import json
from pathlib import Path

import pytest
from kfp.dsl import HTML, Artifact, Dataset, Input, Metrics, Model, Output

from gauntlet.errors import ConfigurationError
from gauntlet.lineage.record import DIGEST_KEY, LINEAGE_KEY, Record, format_chain, parse_chain
from gauntlet.orchestration.component import Caching, component, with_whole_numbers
from gauntlet.orchestration.declaration import ERROR_FILE


@pytest.fixture(autouse=True)
def runtime(monkeypatch):
    monkeypatch.setenv("_KFP_RUNTIME", "true")


def train(
    snapshot: Input[Dataset],
    model: Output[Model],
    prior: Input[Artifact] | None = None,
    recipe: dict = {},  # noqa: B006 - as components are written
    seed: int = 0,
):
    Path(model.path).write_text("weights")


@pytest.fixture
def snapshot(tmp_path):
    (tmp_path / "snapshot").write_text("rows")
    chain = format_chain([Record("import_snapshot", "data", outputs={"snapshot": "sha256:s"})])
    return Dataset(uri=str(tmp_path / "snapshot"), metadata={DIGEST_KEY: "sha256:s", LINEAGE_KEY: chain})


def made_by(function, snapshot, tmp_path, **parameters):
    model = Model(uri=str(tmp_path / "model"))
    component(image="model", caching=Caching.PURE)(function)(snapshot=snapshot, model=model, **parameters)
    return model, parse_chain(model.metadata[LINEAGE_KEY])


def test_parameters_left_at_their_defaults_are_recorded(snapshot, tmp_path):
    _, (_, record) = made_by(train, snapshot, tmp_path, recipe={"depth": 3})
    assert record.parameters == {"recipe": {"depth": 3}, "seed": 0}


def test_an_output_carries_its_digest_and_everything_behind_it(snapshot, tmp_path):
    model, (first, record) = made_by(train, snapshot, tmp_path)
    assert first.component == "import_snapshot"
    assert record.inputs == {"snapshot": "sha256:s"}
    assert record.outputs == {"model": model.metadata[DIGEST_KEY]}


def test_a_component_that_fetches_brings_the_history_of_what_it_fetched(snapshot, tmp_path):
    earlier = Record("train_model", "model", outputs={"model": "sha256:old"})

    def fetch(snapshot: Input[Dataset], model: Output[Model]):
        Path(model.path).write_text("weights")
        model.metadata |= {DIGEST_KEY: "sha256:old", LINEAGE_KEY: format_chain([earlier])}

    model, chain = made_by(fetch, snapshot, tmp_path)
    assert model.metadata[DIGEST_KEY] == "sha256:old"
    assert [record.component for record in chain] == ["import_snapshot", "train_model", "fetch"]


@pytest.mark.parametrize(
    ("passed", "written"),
    [
        ({"max_depth": 8.0, "rate": 0.5}, {"max_depth": 8, "rate": 0.5}),
        ([[1.0], {"a": {"b": [-2.0]}}, True, "3.0"], [[1], {"a": {"b": [-2]}}, True, "3.0"]),
        ({"a": -0.0, "b": 1e300, "c": 2.0**53}, {"a": -0.0, "b": 1e300, "c": 2**53}),
        (1.0, 1.0),
    ],
)
def test_whole_numbers_in_lists_and_mappings_arrive_whole(passed, written):
    """Kubeflow Pipelines passes both as protobuf structures, in which every number is a double."""
    assert repr(with_whole_numbers(passed)) == repr(written)


def test_a_component_and_its_record_see_them_so(snapshot, tmp_path):
    _, (_, record) = made_by(train, snapshot, tmp_path, recipe={"options": {"max_depth": 8.0}})
    assert repr(record.parameters["recipe"]) == "{'options': {'max_depth': 8}}"


def test_a_page_says_which_label_and_data_its_task_was_about(tmp_path):
    parameters = {"roles": {"label": "repaid"}, "pinned": [{"uri": "loans.csv"}]}
    chain = format_chain([Record("import_snapshot", "data", parameters=parameters, outputs={"snapshot": "sha256:s"})])
    snapshot = Dataset(uri=str(tmp_path / "snapshot"), metadata={DIGEST_KEY: "sha256:s", LINEAGE_KEY: chain})

    def check(snapshot: Input[Dataset], report: Output[HTML], other: Output[HTML]):
        Path(report.path).write_text("<h1>Loans</h1><!-- about -->")

    report, other = (HTML(uri=str(tmp_path / name)) for name in ("report", "other"))
    component(image="data", caching=Caching.PURE)(check)(snapshot=snapshot, report=report, other=other)
    written = Path(report.path).read_text()
    assert written.startswith("<h1>Loans</h1><dl")
    assert all(f"<dd>{word}" in written for word in ("repaid", "loans.csv"))
    assert not Path(other.path).exists()


def test_an_error_of_ours_ends_the_task_with_its_exit_code_and_one_paragraph(snapshot, tmp_path, capsys):
    def refuse(snapshot: Input[Dataset], model: Output[Model]):
        raise ConfigurationError("must be positive", field="rounds", value=-1, mend="Correct it")

    with pytest.raises(SystemExit) as stopped:
        made_by(refuse, snapshot, tmp_path)
    assert stopped.value.code == 2
    assert "rounds: must be positive; found -1. Correct it." in capsys.readouterr().err


def test_no_password_of_an_address_reaches_the_log(snapshot, tmp_path, capsys, monkeypatch):
    def refuse(snapshot: Input[Dataset], model: Output[Model]):
        try:
            raise ValueError("no answer from postgresql://me:hunter2@db/loans?sslpassword=hunter2")
        except ValueError as error:
            raise ConfigurationError("is no address", field="uri", value="https://hunter2@h/?a=hunter2") from error

    monkeypatch.setenv(ERROR_FILE, str(tmp_path / "error.json"))
    with pytest.raises(SystemExit):
        made_by(refuse, snapshot, tmp_path)
    said = capsys.readouterr().err + (tmp_path / "error.json").read_text()
    assert "hunter2" not in said
    assert "ValueError: no answer from postgresql://db/loans?sslpassword=***" in said
    assert "uri: is no address; found 'https://h/?a=***'" in said


def test_a_full_disk_ends_the_task_with_a_sentence_and_a_defect_with_its_trace(snapshot, tmp_path, capsys):
    def full(snapshot: Input[Dataset], model: Output[Model]):
        raise OSError(errno.ENOSPC, "No space left on device", "model/weights")

    def wrong(snapshot: Input[Dataset], model: Output[Model]):
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "model/weights")

    with pytest.raises(SystemExit) as stopped:
        made_by(full, snapshot, tmp_path)
    assert stopped.value.code == 3
    said = capsys.readouterr().err.strip().splitlines()[-1]
    assert said.startswith("DependencyError: model/weights: No space left on device. Free disk space, or")
    with pytest.raises(FileNotFoundError):
        made_by(wrong, snapshot, tmp_path)


def judged(verdict: Output[Artifact]):
    from gauntlet.verdict import Check, Status, Verdict

    check = Check("share", Status.FAIL, "Too few.", measured=0.2, code="evaluate_slices.share")
    Verdict("evaluate_slices", (check,), "One slice in five is served.").write(Path(verdict.path))


def test_a_verdict_says_what_was_found_wherever_it_is_listed(tmp_path):
    verdict = Artifact(uri=str(tmp_path / "verdict"))
    component(image="evaluation", caching=Caching.PURE)(judged)(verdict=verdict)
    shown = {key: verdict.metadata[key] for key in ("gate", "status", "summary")}
    assert shown == {"gate": "evaluate_slices", "status": "fail", "summary": "One slice in five is served."}


@pytest.mark.parametrize("writable", [True, False])
def test_whoever_runs_a_component_may_ask_for_its_error_as_json(snapshot, tmp_path, monkeypatch, writable):
    def refuse(snapshot: Input[Dataset], model: Output[Model]):
        raise ConfigurationError("must be positive", field="rounds", value=-1, mend="Correct it")

    (tmp_path / "a file").write_text("")
    place = tmp_path / ("new" if writable else "a file") / "error.json"
    monkeypatch.setenv(ERROR_FILE, str(place))
    with pytest.raises(SystemExit) as stopped:
        made_by(refuse, snapshot, tmp_path)
    assert stopped.value.code == 2
    if writable:
        assert json.loads(place.read_text()) == {
            "code": "configuration",
            "exit_code": 2,
            "field": "rounds",
            "error": "ConfigurationError: rounds: must be positive; found -1. Correct it.",
        }


def test_an_optional_artifact_is_declared_as_its_class():
    # kfp instantiates the annotation when the driver names no type, and Optional[...] cannot be.
    decorated = component(image="model", caching=Caching.PURE)(train)
    assert decorated.__annotations__["prior"] == Input[Artifact]
    assert inspect.signature(decorated).parameters["prior"].default is None


@pytest.mark.parametrize("caching", Caching)
def test_whatever_is_not_pure_takes_the_runs_identifier_and_does_not_see_it(snapshot, tmp_path, caching):
    model = Model(uri=str(tmp_path / "model"))
    decorated = component(image="model", caching=caching)(train)
    assert ("run_id" in inspect.signature(decorated).parameters) is not caching.cached
    given = {} if caching.cached else {"run_id": "8c1"}
    decorated(snapshot=snapshot, model=model, **given)
    assert "run_id" not in parse_chain(model.metadata[LINEAGE_KEY])[-1].parameters


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None, {"sharp": float("nan")}, Path("x")], ids=str)
def test_metadata_that_a_cluster_cannot_keep_is_refused_here_too(snapshot, tmp_path, capsys, value):
    def measure(snapshot: Input[Dataset], metrics: Output[Metrics]):
        metrics.metadata["auc"] = value

    with pytest.raises(SystemExit) as stopped:
        component(image="model", caching=Caching.PURE)(measure)(
            snapshot=snapshot, metrics=Metrics(uri=str(tmp_path / "metrics"))
        )
    assert stopped.value.code == 3
    assert "metadata of metrics: auc" in capsys.readouterr().err
