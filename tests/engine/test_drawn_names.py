"""Columns called anything at all: from a file to a registered version and its server's answers.

The same rows go through the same components under drawn names. Nothing may stop, every column has to be spoken of by
its name, and no name may change a number: scores, verdicts and served answers are those of plain names.
"""

import json
import shutil
import tempfile
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from builders.component_worker import Worker
from builders.drawn_names import FEATURES, LABEL, LETTERS, NUMBERS, PLAIN, SITE, roles, rows, tables, write_table
from gauntlet.gates import GATES
from gauntlet.verdict import Verdict
from hypothesis_profiles import examples
from tiers import count

pytestmark = pytest.mark.engine


@dataclass
class World:
    """The processes, and what came of plain names."""

    workers: dict[str, Worker]
    folder: Path
    plain: "Outcome" = field(init=False)
    tables: int = 0


@dataclass(frozen=True)
class Outcome:
    """What a table led to.

    Attributes:
        scores: of the test split, in the order of its rows.
        served: the same from the server, by each form of request.
        verdicts: gate → status and code of every check.
        subjects: everything that checks speak of.
        version: of the registered model.
    """

    scores: list
    served: list
    verdicts: dict
    subjects: set
    version: str


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    with ExitStack() as stack:
        images = ("data", "model", "evaluation", "delivery", "serving")
        made = World({image: stack.enter_context(Worker(image, folder)) for image in images}, folder)
        made.plain = outcome(made, PLAIN)
        yield made


def outcome(world, called):
    """Take a table through data, training, prediction, evaluation, registration and serving."""
    world.tables += 1
    place = Path(tempfile.mkdtemp(dir=world.folder))
    found = _outcome(world, called, place)
    shutil.rmtree(place)
    return found


def _outcome(world, called, place):
    table = rows()
    held = {}

    def made(name, kind="Artifact"):
        held[name] = (kind, place / name, {})
        return held[name]

    def call(component, inputs, outputs, **parameters):
        given = {argument: held[one] for argument, one in inputs.items()}
        given |= {argument: made(one, kind) for argument, (one, kind) in outputs.items()}
        return world.workers[component.split("/")[0]].call(component, given, **parameters)

    def report(name):
        return {"report": (f"{name}-report", "HTML")}

    def judged(name):
        return {"verdict": (f"{name}-verdict", "Artifact"), **report(name)}

    def imported(columns, purpose, **more):
        written = [called[column] for column in columns], [table[column] for column in columns]
        uri = write_table(place / f"{purpose}.csv", *written)
        pinned = world.workers["data"].call("data/resolve_source", {}, sources=[{"uri": uri}])
        call("data/import_snapshot", {}, {"snapshot": (purpose, "Dataset")}, pinned=pinned, purpose=purpose, **more)
        statistics = {"statistics": (f"{purpose}-statistics", "Artifact"), **report(f"{purpose}-statistics")}
        call("data/compute_statistics", {"snapshot": purpose}, statistics)

    imported(range(len(called)), "training", roles=roles(called))
    imported(FEATURES, "serving", roles={"label": called[LABEL]})
    both = {"statistics": "training-statistics", "serving": "serving-statistics"}
    call(
        "data/infer_schema",
        {"statistics": "training-statistics"},
        {"schema": ("schema", "Artifact"), **report("schema")},
    )
    validated = {**judged("validate_schema"), "proposal": ("proposal", "Artifact")}
    call("data/validate_schema", {**both, "schema": "schema"}, validated)
    call("data/check_integrity", {"snapshot": "training"}, judged("check_integrity"))

    champion = {"champion": ("champion", "Model"), "statistics": ("champion-statistics", "Artifact")}
    name = f"names {world.tables}"
    call("delivery/fetch_champion", {}, champion, model_name=name)
    skewed = {**both, "schema": "schema", "previous": "champion-statistics"}
    call("data/detect_skew", skewed, judged("detect_skew"), policy={"replicates": 1000})

    recipe = {"parameters": {"n_estimators": 8, "max_depth": 3}, "monotone": {called[NUMBERS[0]]: 1}}
    trained = {"model": ("model", "Model"), "metrics": ("metrics", "Metrics"), **report("model")}
    call("model/train_model", {"snapshot": "training", "schema": "schema"}, trained, recipe=recipe, experiment=name)
    for model in ("model", "champion"):
        call(
            "model/batch_predict",
            {"model": model, "snapshot": "training"},
            {"predictions": (f"{model}-predictions", "Dataset")},
            slice_columns=[called[SITE], called[NUMBERS[0]]],
        )
    suite = place / "suite.yaml"
    suite.write_text(json.dumps(behavior(called), ensure_ascii=False), encoding="utf-8")
    pinned = world.workers["data"].call("data/resolve_source", {}, sources=[{"uri": str(suite)}])
    tested = {"model": "model", "snapshot": "training"}
    call("model/check_behavior", tested, judged("check_behavior"), suite=pinned, policy={"max_failures": 0.05})

    curves = {"metrics": ("more-metrics", "Metrics"), "curves": ("curves", "ClassificationMetrics")}
    predicted = {"predictions": "model-predictions"}
    call("evaluation/evaluate_performance", predicted, {**judged("evaluate_performance"), **curves})
    slices = {
        "reference": {called[SITE]: "north"},
        "fairness": {"equal_opportunity": {"max_gap": 0.5}},
        "min_rows": 10,
    }
    call("evaluation/evaluate_slices", predicted, judged("evaluate_slices"), policy=slices)
    compared = {"challenger": "model-predictions", "champion": "champion-predictions"}
    call("evaluation/compare_champion", compared, judged("compare_champion"))

    gates = ("validate_schema", "check_integrity", "detect_skew", "check_behavior", "evaluate_performance")
    gates += ("evaluate_slices", "compare_champion")
    ordinals = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh")
    heard = {ordinal: f"{gate}-verdict" for ordinal, gate in zip(ordinals, gates, strict=True)}
    policy = {"advisory": [gate.name for gate in GATES]}
    call("evaluation/enforce_gates", heard, {"verdicts": ("verdicts", "Artifact")}, stage="registering", policy=policy)
    parts = {"model": "model", "snapshot": "training", "schema": "schema", "verdicts": "verdicts"}
    registered = {**parts, "statistics": "training-statistics"}
    version = call(
        "delivery/register_model", registered, {"lineage": ("lineage", "Artifact")}, model_name=name, run="r"
    )
    digest = held["model"][2]["digest"]
    asked = {"model": held["model"], "snapshot": held["training"]}
    served = world.workers["serving"].call("answers", asked, digest=digest)

    said = {gate: Verdict.read(place / f"{gate}-verdict") for gate in gates}
    return Outcome(
        scores=world.workers["evaluation"].call("scores", {"predictions": held["model-predictions"]}),
        served=served,
        verdicts={
            gate: sorted((check.code, check.status.value) for check in verdict.checks) for gate, verdict in said.items()
        },
        subjects={check.subject for verdict in said.values() for check in verdict.checks},
        version=version,
    )


def behavior(called):
    """A rule about each feature."""
    numbers, letters = [called[column] for column in NUMBERS], [called[column] for column in (SITE, *LETTERS)]
    return {
        "invariance": [
            {"name": f"rule {number}", "change": [{"whitespace": {"column": name}}], "expect": {"max_change": 0.9}}
            for number, name in enumerate(letters)
        ],
        "directional": [
            {
                "name": f"number {number}",
                "change": [{"add": {"column": name, "by": 1}}],
                "expect": {"score": "not_decreases", "tolerance": 0.9},
            }
            for number, name in enumerate(numbers)
        ],
    }


def test_plain_names_lead_to_a_version_and_its_answers(world):
    assert world.plain.version == "1"
    assert {"check_integrity", "evaluate_slices", "check_behavior"} <= world.plain.verdicts.keys()
    for answers in world.plain.served:
        np.testing.assert_allclose(answers, world.plain.scores, atol=1e-7)


@examples(count(5, full=500))
@given(called=tables())
def test_no_name_stops_a_table_or_changes_what_comes_of_it(world, called):
    found = outcome(world, called)
    assert found.version == "1"
    assert found.scores == world.plain.scores
    assert found.verdicts == world.plain.verdicts
    for answers in found.served:
        np.testing.assert_allclose(answers, found.scores, atol=1e-7)
    assert {called[column] for column in FEATURES} <= found.subjects
