"""What a task was about, from records as a run of the training pipeline leaves them."""

import pytest

from gauntlet.lineage.origin import Origin, origin_of
from gauntlet.lineage.record import Record


def imported(digest: str, uri: str, purpose: str = "training") -> Record:
    parameters = {"pinned": [{"uri": uri}], "roles": {"label": "repaid"}, "purpose": purpose}
    return Record("import_snapshot", "data", parameters=parameters, outputs={"snapshot": digest})


DATA = imported("sha256:data", "loans.csv")
OLD_DATA = imported("sha256:old", "last-year.csv")
SERVING = imported("sha256:serving", "log.csv", "serving")
STATISTICS = Record("compute_statistics", "data", inputs={"snapshot": "sha256:data"}, outputs={"statistics": "s"})


def trained(model: str, snapshot: str, experiment: str) -> Record:
    inputs, parameters = {"snapshot": snapshot}, {"experiment": experiment}
    return Record("train_model", "model", parameters=parameters, inputs=inputs, outputs={"model": model})


def predicted(model: str, out: str, split: str) -> Record:
    inputs = {"model": model, "snapshot": "sha256:data"}
    return Record("batch_predict", "model", parameters={"split": split}, inputs=inputs, outputs={"predictions": out})


NEW, OLD = trained("sha256:new", "sha256:data", "loans"), trained("sha256:champion", "sha256:old", "loans-2024")
CHAIN = [
    OLD_DATA,
    OLD,
    DATA,
    SERVING,
    STATISTICS,
    NEW,
    predicted("sha256:champion", "p0", "test"),
    predicted("sha256:new", "p1", "test"),
]
EXPECTED = Origin("loans", "sha256:new", "repaid", ("loans.csv",), "sha256:data", "test")


@pytest.mark.parametrize(
    "task",
    [
        Record("evaluate_performance", "evaluation", inputs={"predictions": "p1"}),
        Record("compare_champion", "evaluation", inputs={"champion": "p0", "challenger": "p1"}),
        Record(
            "check_behavior", "model", {}, "", {"split": "test"}, {"model": "sha256:new", "snapshot": "sha256:data"}
        ),
    ],
    ids=lambda task: task.component,
)
def test_a_gate_is_about_the_model_it_judges_and_not_about_what_it_is_held_to(task):
    assert origin_of(task, CHAIN) == EXPECTED


def test_a_training_is_about_the_model_it_makes():
    found = origin_of(NEW, [OLD_DATA, DATA])
    assert (found.model, found.model_digest, found.data) == ("loans", "sha256:new", ("loans.csv",))


def test_what_comes_before_training_names_label_and_data_alone():
    task = Record("detect_skew", "data", inputs={"previous": "old", "serving": "x", "statistics": "s"})
    assert origin_of(task, CHAIN) == Origin(label="repaid", data=("loans.csv",), snapshot="sha256:data")


def test_statistics_of_serving_data_name_these_files():
    task = Record("compute_statistics", "data", inputs={"snapshot": "sha256:serving"})
    assert origin_of(task, [DATA, SERVING]).data == ("log.csv",)


def test_a_part_that_no_record_tells_is_left_out():
    assert origin_of(Record("verify", "delivery"), []).facts == ()
    assert Origin(label="y", snapshot="sha256:0123456789abcdef").facts == (("Label", "y"), ("Data", "(0123456789ab)"))
    assert dict(EXPECTED.facts)["Model"].startswith("loans (")
