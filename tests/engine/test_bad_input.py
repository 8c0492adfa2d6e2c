"""Bad input as a user meets it: which task says what, how the command ends, and that nothing is left half-written.

Everything a user can get wrong in files and parameters is here, through the whole of ``gauntlet run``. Two of the
ways to fail need artifacts that a run makes only when somebody meddles with a registry; they go through the component
as kfp's executor calls it:

- champion with another signature: ``tests/components/evaluation/test_compare_champion.py`` (another task, other
  classes) and ``tests/components/model/test_model_components.py`` (a champion that reads a column the data lack);
- predictions of different rows: ``tests/components/evaluation/test_compare_champion.py``.
"""

from pathlib import Path

import pytest

from builders.mlflow_server import free_port
from engine.bad_input import BROKEN, CASES, ROWS, WRONG_USE, uri
from engine.conftest import ROOT, example, run
from gauntlet.demo.loans import generate, write_csv
from gauntlet.orchestration.record import RunState, TaskState
from tiers import sample

pytestmark = pytest.mark.engine

SEED = 5
SECONDS_TO_NOTICE = 60  # that MLflow is not there: two retries, and two starts of TensorFlow on a busy machine


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def loans():
    return generate(1, ROWS, SEED)


@pytest.fixture(scope="module")
def good(tmp_path_factory, loans):
    path = tmp_path_factory.mktemp("data") / "loans.csv"
    write_csv(loans, str(path))
    return {**example("loans"), "data": [{"uri": str(path)}]}


@pytest.fixture
def refused(runs):
    """Runs the pipeline to its failure, and holds what every failure has in common."""

    def check(parameters, task, status, says, **options):
        result = run(parameters, runs, **options)
        failed = [one for one in result.record.tasks if one.state is TaskState.FAILED]
        assert [one.name for one in failed] == [task], result.messages
        error = failed[0].error
        for piece in says:
            assert piece in error
        assert error.split(": ")[0] in {"ConfigurationError", "DataError", "DependencyError"}
        assert result.record.message == f"{task}: {error}"
        assert result.state is RunState.BROKEN
        assert result.record.exit_status == status
        assert failed[0].log == f"logs/{task}.log"
        assert error in (result.folder / failed[0].log).read_text().splitlines()
        assert not failed[0].artifacts
        assert not (result.folder / "artifacts" / task).exists()
        assert not list(result.folder.rglob("*.partial"))
        assert result.task("train-model").state in {TaskState.SKIPPED, TaskState.FAILED}
        return result

    return check


@pytest.mark.parametrize("case", [pytest.param(CASES[name], id=name) for name in sample(list(CASES), every=2)])
def test_bad_input_ends_in_one_sentence_the_right_status_and_nothing_half_written(case, good, loans, refused, tmp_path):
    data = {} if case.data is None else uri(str(case.data(tmp_path, loans)))
    refused({**good, **data, **case.parameters}, case.task, case.status, case.says)


def test_cuda_that_is_not_there_stops_training(good, refused):
    if Path("/dev/nvidia0").exists():
        pytest.skip("this machine has a card")
    with_cuda = any((ROOT / ".environments" / "model").glob("lib/python*/site-packages/nvidia"))
    says = ("device: ", "found 'cuda'.", "device auto or cpu.")
    result = refused({**good, "device": "cuda"}, "train-model", BROKEN if with_cuda else WRONG_USE, says)
    assert result.states()["enforce-data-gates"] in {TaskState.SUCCEEDED, TaskState.REUSED}


def test_mlflow_that_is_not_there_stops_the_run_before_training(good, refused):
    address = f"http://127.0.0.1:{free_port()}"
    variables = {"MLFLOW_TRACKING_URI": address}
    says = (
        f"DependencyError: {address}: MLflow failed while reading aliases; found 'Connection refused'.",
        "Check that the server runs and can be reached from here, or correct MLFLOW_TRACKING_URI.",
    )
    result = refused(good, "fetch-champion", BROKEN, says, variables=variables)
    assert result.task("fetch-champion").seconds < SECONDS_TO_NOTICE


def test_an_address_that_is_none_of_mlflows_is_wrong_use(good, refused):
    says = ("MLFLOW_TRACKING_URI: is no address that MLflow knows; found 'htp://tracking'.", "Use http:// or https://")
    refused(good, "fetch-champion", WRONG_USE, says, variables={"MLFLOW_TRACKING_URI": "htp://tracking"})
