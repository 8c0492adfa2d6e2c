"""The feature gate, called as the executor calls it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from builders.artifacts import artifact, load_component
from builders.features import MODULE, raw, save_model, team_code, world
from gauntlet.model_digest import digest_model
from gauntlet.storage import write_absent
from gauntlet.verdict import Status, Verdict


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("given")
    team = team_code(folder / "code")
    made = world(folder / "world", team.before, team.after, rows=800, shuffle=True)
    model = save_model(folder / "model", team.after, raw(3, 2_000))
    write_absent(folder / "absent", "there is none yet")
    return {
        "model": artifact("Model", model, digest=digest_model(model)),
        "champion": artifact("Model", folder / "absent"),
        "snapshot": artifact("Dataset", made.snapshot.path),
        "history": artifact("Dataset", made.history.path),
        "stored": artifact("Dataset", made.stored.path),
    }


def run(given: dict[str, Any], folder: Path, **parameters: Any) -> tuple[Verdict, str]:
    outputs = {
        "verdict": artifact("Artifact", folder / "verdict.json"),
        "report": artifact("HTML", folder / "report.html"),
    }
    arguments = {"feature_code": f"{MODULE}:after", "split": "test", "policy": {}, **parameters}
    load_component("model", "check_features")(**{**given, **outputs, **arguments})
    return Verdict.read(folder / "verdict.json"), (folder / "report.html").read_text()


def test_the_incident_stops_with_a_sentence_and_a_page(given: dict[str, Any], tmp_path: Path) -> None:
    verdict, page = run(given, tmp_path)
    assert verdict.gate == "check_features"
    assert verdict.status is Status.FAIL
    assert verdict.summary.startswith("`income` was redefined and its past was not recomputed")
    assert "would get another decision" in verdict.summary
    assert "Whom it harms" in page
    assert "normalization change" in page
    assert "://" not in page.replace("http://www.w3.org/2000/svg", "")
    again, same = run(given, tmp_path)
    assert (again, same) == (verdict, page)


def test_with_nothing_stored_nothing_is_asked(given: dict[str, Any], tmp_path: Path) -> None:
    verdict, page = run({**given, "stored": given["champion"], "history": given["champion"]}, tmp_path)
    assert verdict.status is Status.PASS
    assert "no features were compared" in page


def test_numbers_in_the_policy_arrive_as_doubles(given: dict[str, Any], tmp_path: Path) -> None:
    verdict, _ = run(given, tmp_path, policy={"min_rows": 10_000.0, "sample_rows": 500.0})
    assert verdict.status is Status.INCONCLUSIVE
    assert {check.name for check in verdict.with_status(Status.INCONCLUSIVE)} == {
        f"{span}: stored rows" for span in ("q1", "q2", "test")
    }


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        pytest.param({"policy": {"max_shar": 0.1}}, 2, "policy.max_shar: unknown key", id="policy"),
        pytest.param({"split": "tests"}, 2, "split: no such split", id="split"),
        pytest.param({"feature_code": "nowhere:at_all"}, 2, "feature_code: cannot be imported", id="code"),
        pytest.param({"model": "sha256:" + "0" * 64}, 3, "another model than expected", id="model"),
    ],
)
def test_what_cannot_be_used_is_named(
    given: dict[str, Any],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    change: dict[str, Any],
    code: int,
    message: str,
) -> None:
    parameters, inputs = dict(change), dict(given)
    if "model" in change:
        inputs["model"] = artifact("Model", Path(given["model"].path), digest=parameters.pop("model"))
    with pytest.raises(SystemExit) as stopped:
        run(inputs, tmp_path, **parameters)
    assert stopped.value.code == code
    assert message in capsys.readouterr().err
    assert not (tmp_path / "verdict.json").exists()
