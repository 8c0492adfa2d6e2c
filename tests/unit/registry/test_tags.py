import json
from dataclasses import replace

import pytest

from builders.submission import SOURCES, make_document, make_evidence, verdict
from builders.verdicts import check
from gauntlet.registry.store import TAG_KEY_LIMIT, TAG_VALUE_LIMIT
from gauntlet.registry.tags import version_tags
from gauntlet.verdict import Status, Verdict


@pytest.fixture
def document(tmp_path):
    return make_document(make_evidence(tmp_path), verdict())


def test_every_fact_a_version_should_name_is_a_tag(document):
    tags = version_tags(document, [verdict()])
    assert tags == {
        "gauntlet.model_digest": document.artifacts["model"],
        "gauntlet.snapshot": document.artifacts["snapshot"],
        "gauntlet.schema": document.artifacts["schema"],
        "gauntlet.statistics": document.artifacts["statistics"],
        "gauntlet.sources": json.dumps(SOURCES, sort_keys=True),
        "gauntlet.code": "9b2c1d0",
        "gauntlet.environment.data": "sha256:lock-data",
        "gauntlet.environment.model": "sha256:lock-model",
        "gauntlet.parameters": '{"recipe": {"depth": 4}, "seed": 7}',
        "gauntlet.metric.auc": "0.91 [0.9, 0.92]",
        "gauntlet.verdict.evaluate_performance": "pass: AUC is 0.91, the gate says pass.",
        "gauntlet.run": "run-1",
    }


def test_every_verdict_is_told_even_two_of_one_gate(document):
    tags = version_tags(document, [verdict(gate="detect_skew"), verdict(Status.INCONCLUSIVE, gate="detect_skew")])
    assert tags["gauntlet.verdict.detect_skew"].startswith("pass: ")
    assert tags["gauntlet.verdict.detect_skew.2"].startswith("inconclusive: ")


def test_values_are_held_to_what_a_registry_takes(document):
    many = [{"uri": f"gs://loans/part-{number:05}.csv", "version": "1"} for number in range(400)]
    long = Verdict("evaluate_performance", verdict().checks, "word " * 4000)
    tags = version_tags(replace(document, sources=many), [long])
    assert max(map(len, tags.values())) <= TAG_VALUE_LIMIT
    assert tags["gauntlet.sources"].startswith("400 files, sha256:")
    assert tags["gauntlet.verdict.evaluate_performance"].endswith("…")


def test_a_summary_of_several_lines_becomes_one(document):
    checks = verdict(gate="detect_skew").checks
    told = version_tags(document, [Verdict("detect_skew", checks, "one\n  two")])
    assert told["gauntlet.verdict.detect_skew"] == "pass: one two"


def test_names_are_made_fit_for_a_tag(document):
    measured = check(measured=0.5, subject="recall@fpr=0.1 " + "x" * 300)
    tags = version_tags(document, [Verdict("evaluate_performance", (measured,), "fine")])
    (key,) = [key for key in tags if key.startswith("gauntlet.metric.")]
    assert key.startswith("gauntlet.metric.recall_fpr_0.1 x")
    assert len(key) == TAG_KEY_LIMIT
    assert tags[key] == "0.5"


def test_a_check_without_a_measured_value_is_no_metric(document):
    tags = version_tags(document, [Verdict("evaluate_performance", (check(subject="auc"),), "fine")])
    assert not [key for key in tags if key.startswith("gauntlet.metric.")]
