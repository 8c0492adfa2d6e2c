from __future__ import annotations

import gc
import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from builders.served_models import COLUMNS, brought
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.model_digest import digest_model
from gauntlet.serving import protocol_v1
from gauntlet.serving.direct import DirectModel
from gauntlet.serving.errors import InvalidRequest
from gauntlet.serving.loading import open_served
from gauntlet.serving.scorers import Pyfunc

ModelOf = Callable[[str], Path]

ROW = {"amount": 1.5, "code": 2, "region": "east", "member": True, "since": "2026-01-02"}


class Touch:
    """Unpickling it creates a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def poisoned(folder: Path, trace: Path) -> Path:
    import cloudpickle

    brought(folder, len)
    (folder / "python_model.pkl").write_bytes(cloudpickle.dumps(Touch(trace)))
    return folder


def test_nothing_of_a_model_with_a_wrong_digest_is_unpickled(tmp_path: Path) -> None:
    trace = tmp_path / "it ran"
    good = digest_model(brought(tmp_path / "good", len))
    bad = poisoned(tmp_path / "bad", trace)
    with pytest.raises(DataError, match="another model than expected"), open_served(bad, good):
        pass
    assert not trace.exists()
    # The same model with its own digest does run: what kept it from running is the digest.
    with pytest.raises(DataError, match="cannot be loaded"), open_served(bad, digest_model(bad)):
        pass
    assert trace.exists()


@pytest.mark.parametrize("change", ["a byte", "a file more", "a file less"])
def test_any_change_of_our_own_model_is_noticed(model_of: ModelOf, tmp_path: Path, change: str) -> None:
    digest = digest_model(model_of("binary"))
    folder = shutil.copytree(model_of("binary"), tmp_path / "model")
    booster = folder / "data" / "gauntlet" / "booster.ubj"
    match change:
        case "a byte":
            booster.write_bytes(booster.read_bytes()[:-1] + b"\x00")
        case "a file more":
            (folder / "data" / "extra.py").write_text("")
        case _:
            (folder / "requirements.txt").unlink()
    with pytest.raises(DataError, match="another model than expected"), open_served(folder, digest):
        pass


def test_what_is_changed_after_the_check_is_not_served(model_of: ModelOf, tmp_path: Path) -> None:
    folder = shutil.copytree(model_of("binary"), tmp_path / "model")
    digest = digest_model(folder)
    with open_served(folder, digest) as model:
        shutil.rmtree(folder)
        assert model.digest == digest


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_our_own_models_go_the_direct_way_and_say_what_they_are(model_of: ModelOf, task: str) -> None:
    with open_served(model_of(task), digest_model(model_of(task))) as model:
        assert isinstance(model.scorer, DirectModel)
        assert model.facts["task"] == task
        assert model.contract.outputs == (tuple(model.facts["classes"]) or ("prediction",))


def test_a_server_never_loads_an_unverified_model(model_of: ModelOf, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no digest"), open_served(model_of("binary"), ""):
        pass
    with pytest.raises(DataError, match="not an MLflow model"), open_served(tmp_path / "gone", "sha256:x"):
        pass
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="not an MLflow model"), open_served(tmp_path / "empty", "sha256:x"):
        pass


def test_the_collector_leaves_the_model_alone_while_it_serves(model_of: ModelOf) -> None:
    before = gc.get_freeze_count()
    with open_served(model_of("binary"), digest_model(model_of("binary"))):
        assert gc.get_freeze_count() > before
    assert gc.get_freeze_count() == 0


def scores(frame: pd.DataFrame) -> np.ndarray:
    """Depends on every column's type and on what is missing."""
    return (
        frame["amount"].fillna(-1.0)
        + frame["code"]
        + frame["member"].astype(float)
        + frame["region"].map({"east": 0.25}).fillna(0.5)
        + frame["since"].dt.year.fillna(1.0)
    ).to_numpy(dtype=float)


def test_any_other_pyfunc_goes_the_slow_way_and_answers_as_mlflow_does(tmp_path: Path) -> None:
    import mlflow.pyfunc

    folder = brought(tmp_path / "model", scores)
    expected = mlflow.pyfunc.load_model(str(folder)).predict(
        pd.DataFrame(
            {
                "amount": [1.5, 7.0],
                "code": [2, 3],
                "region": ["east", None],
                "member": [True, False],
                "since": pd.to_datetime(["2026-01-02", None]),
            }
        )
    )
    with open_served(folder, digest_model(folder)) as model:
        assert isinstance(model.scorer, Pyfunc)
        rows = protocol_v1.parse({"instances": [ROW, {"amount": 7, "code": 3.0, "member": False}]}, model.contract)
        assert model.answer(rows).rows() == list(expected)
        answers: list[Any] = []
        threads = [threading.Thread(target=lambda: answers.append(model.answer(rows).rows())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers == [list(expected)] * 4


def test_a_models_failure_tells_its_type_and_no_row(tmp_path: Path) -> None:
    def fails(frame: pd.DataFrame) -> Any:
        if frame["region"].notna().any():
            raise KeyError(f"cannot bear {frame.to_dict()}")
        return np.zeros(len(frame))

    folder = brought(tmp_path / "model", fails)
    with open_served(folder, digest_model(folder)) as model:
        rows = protocol_v1.parse({"instances": [ROW | {"region": "secret"}]}, model.contract)
        with pytest.raises(DataError, match="failed to score; found 'KeyError'") as caught:
            model.answer(rows)
    assert not isinstance(caught.value, InvalidRequest)
    assert "secret" not in str(caught.value)
    assert caught.value.__suppress_context__


@pytest.mark.parametrize(
    ("function", "columns", "message"),
    [
        pytest.param(len, None, "has no signature", id="no signature"),
        pytest.param(lambda frame: frame["gone"], COLUMNS, "cannot score its own input example", id="fails"),
        pytest.param(lambda frame: [np.nan] * len(frame), COLUMNS, "cannot score its own", id="NaN"),
        pytest.param(lambda frame: [1.0] * 7, COLUMNS, "cannot score its own", id="rows"),
    ],
)
def test_a_model_that_cannot_serve_never_gets_ready(
    tmp_path: Path, function: Callable[[pd.DataFrame], Any], columns: Any, message: str
) -> None:
    folder = brought(tmp_path / "model", function, columns)
    with pytest.raises(DataError, match=message), open_served(folder, digest_model(folder)):
        pass


def test_the_input_example_is_what_it_is_asked_first(tmp_path: Path) -> None:
    request_file = tmp_path / "asked"

    def remembers(frame: pd.DataFrame) -> Any:
        request_file.write_text(json.dumps(frame["code"].tolist()))
        return np.zeros(len(frame))

    folder = brought(tmp_path / "model", remembers, {"code": "long"}, pd.DataFrame({"code": [41, 42]}))
    request_file.unlink(missing_ok=True)
    with open_served(folder, digest_model(folder)):
        assert json.loads(request_file.read_text()) == [41, 42]


def test_an_input_example_that_does_not_fit(model_of: ModelOf, tmp_path: Path) -> None:
    folder = shutil.copytree(model_of("binary"), tmp_path / "model")
    example = json.loads((folder / "input_example.json").read_text())
    example["data"][0][0] = "text"
    (folder / "input_example.json").write_text(json.dumps(example))
    with pytest.raises(DataError, match="input example does not fit"), open_served(folder, digest_model(folder)):
        pass


@pytest.mark.parametrize("flavors", [{}, None, {"python_function": {}}])
def test_an_mlmodel_without_a_python_function(model_of: ModelOf, tmp_path: Path, flavors: Any) -> None:
    folder = shutil.copytree(model_of("binary"), tmp_path / "model")
    document = yaml.safe_load((folder / "MLmodel").read_text())
    (folder / "MLmodel").write_text(yaml.safe_dump(document | {"flavors": flavors}))
    with pytest.raises(DataError, match="python_function flavor"), open_served(folder, digest_model(folder)):
        pass
