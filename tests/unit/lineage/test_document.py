"""The lineage document: complete or refused, and readable."""

import json
from dataclasses import replace

import pytest

from builders.submission import make_document, make_evidence, verdict
from gauntlet.digest import digest_tree
from gauntlet.errors import DataError
from gauntlet.lineage.document import Document, Subject, build, check, explain
from gauntlet.lineage.record import Record, format_chain, parse_chain


@pytest.fixture
def evidence(tmp_path):
    return make_evidence(tmp_path)


@pytest.fixture
def document(evidence):
    return make_document(evidence, verdict())


def test_it_survives_the_disk(document, tmp_path):
    document.write(tmp_path / "lineage.json")
    assert Document.read(tmp_path / "lineage.json") == document


def test_records_come_after_what_they_read_from(document):
    names = [record.component for record in document.records]
    assert names == ["import_snapshot", "compute_statistics", "infer_schema", "train_model"]


def test_it_names_training_seeds_code_and_environments(document):
    assert document.training.component == "train_model"
    assert document.seeds == {"seed": 7}
    assert document.training.code == "9b2c1d0"
    assert document.environments == {"data": "sha256:lock-data", "model": "sha256:lock-model"}


def test_an_artifact_without_a_chain_is_a_named_root(document):
    assert document.roots == {"verdicts": "sha256:verdicts"}


def test_the_history_of_an_artifact_leaves_out_what_it_does_not_descend_from(document):
    chain = document.chain(document.artifacts["statistics"])
    assert [record.component for record in parse_chain(chain)] == ["import_snapshot", "compute_statistics"]
    assert document.chain("sha256:unknown") == ""


def test_the_explanation_names_artifacts_parameters_sources_and_verdicts(document):
    words = explain(document)
    for fact in (
        *document.artifacts.values(),
        '"seed": 7',
        "code 9b2c1d0",
        "gs://loans/span-1.csv at version 1700000000000001",
        "evaluate_performance: pass. AUC is 0.91",
        "run run-1",
        "External, without a record of its origin: verdicts",
    ):
        assert fact in words


def test_a_model_from_outside_says_so():
    document = build([Subject("model", "sha256:m")], model_name="loans")
    assert document.training is None
    assert document.seeds == {}
    assert "The model is external" in explain(document)


def test_a_fetched_model_is_still_made_by_its_training(document):
    model = document.artifacts["model"]
    fetch = Record("fetch_champion", "delivery", outputs={"champion": model})
    assert replace(document, records=(fetch, *document.records)).training.component == "train_model"


def test_an_input_that_nobody_made_is_refused(evidence):
    first, *others = parse_chain(evidence.chains["model"])
    assert first.component == "import_snapshot"
    subjects = [replace(s, chain=format_chain(others)) for s in evidence.subjects() if s.name == "model"]
    with pytest.raises(DataError, match="lineage of compute_statistics, input snapshot: "):
        build(subjects, model_name="loans")


def test_a_named_root_needs_no_record(evidence):
    _, *others = parse_chain(evidence.chains["model"])
    subjects = {subject.name: subject for subject in evidence.subjects()}
    subjects_with_root = [
        replace(subjects["model"], chain=format_chain(others)),
        replace(subjects["snapshot"], chain=""),
    ]
    assert set(build(subjects_with_root, model_name="loans").roots) == {"snapshot"}


def test_records_that_only_account_for_each_other_are_refused():
    there = Record("a", "x", inputs={"i": "sha256:1"}, outputs={"o": "sha256:2"})
    back = Record("b", "x", inputs={"i": "sha256:2"}, outputs={"o": "sha256:1"})
    with pytest.raises(DataError, match="lineage of a, input i"):
        build([Subject("model", "sha256:1", format_chain([there, back]))], model_name="loans")


def test_a_task_that_passes_its_input_on_unchanged_is_fine():
    producer = Record("a", "x", outputs={"o": "sha256:1"})
    passthrough = Record("b", "x", inputs={"i": "sha256:1"}, outputs={"o": "sha256:1"})
    document = build([Subject("model", "sha256:1", format_chain([producer, passthrough]))], model_name="loans")
    assert document.history("sha256:1") == (producer, passthrough)


def test_a_model_that_its_chain_does_not_make_is_refused(evidence):
    subjects = [replace(s, digest="sha256:other") for s in evidence.subjects() if s.name == "model"]
    with pytest.raises(DataError, match="lineage of model: "):
        build(subjects, model_name="loans")


def test_a_document_about_no_model_is_refused():
    with pytest.raises(DataError, match="lineage: has no model"):
        check(Document("loans", "", {}))


@pytest.mark.parametrize("damage", ["", "[]", "{}", json.dumps({"format": "gauntlet.lineage/9"})])
def test_what_is_no_document_is_a_clear_error(damage, tmp_path):
    (tmp_path / "lineage.json").write_text(damage)
    with pytest.raises(DataError, match="not a lineage document"):
        Document.read(tmp_path / "lineage.json")


def test_a_document_edited_into_an_open_link_is_refused_when_read(document, tmp_path):
    document.write(tmp_path / "lineage.json")
    content = json.loads((tmp_path / "lineage.json").read_text())
    content["records"].pop(0)
    (tmp_path / "lineage.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match="lineage of compute_statistics, input snapshot: "):
        Document.read(tmp_path / "lineage.json")


def test_a_subject_takes_the_digest_its_maker_gave_or_else_its_content(tmp_path):
    (tmp_path / "file").write_text("x")
    assert Subject.of("schema", tmp_path, {"digest": "sha256:known", "lineage": "[]"}) == Subject(
        "schema", "sha256:known", "[]"
    )
    assert Subject.of("schema", tmp_path, {}) == Subject("schema", digest_tree(tmp_path))
