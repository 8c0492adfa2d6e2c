"""Whatever columns are called: the way of data through import, statistics, schema, skew and integrity."""

import html
from dataclasses import replace

import pytest

from builders.names import KEY, LABEL, NAMES, ROLES, columns, write_csv
from gauntlet.data.importing import import_snapshot
from gauntlet.data.integrity.gate import check_integrity
from gauntlet.data.integrity.policy import IntegrityPolicy
from gauntlet.data.proposal import propose
from gauntlet.data.reader_options import ReaderOptions
from gauntlet.data.roles import Roles
from gauntlet.data.schema import choose_schema, read_curated, schema_text, write_schema
from gauntlet.data.schema_inference import InferencePolicy
from gauntlet.data.skew import detect_skew
from gauntlet.data.skew_policy import SkewPolicy
from gauntlet.data.source import resolve
from gauntlet.data.split import SplitOptions
from gauntlet.data.statistics import write_statistics
from gauntlet.data.validation import SchemaPolicy, subjects_of, validate_schema
from gauntlet.reports.views.integrity import integrity_page
from gauntlet.reports.views.schema import validation_page
from gauntlet.reports.views.skew import skew_page
from gauntlet.reports.views.statistics import statistics_page
from gauntlet.settings import parse


def described(folder, held, purpose):
    source = write_csv(folder / f"{purpose}.csv", held)
    snapshot = import_snapshot(
        resolve([{"uri": source}]),
        folder / purpose,
        roles=parse(Roles, ROLES if purpose == "training" else {"label": LABEL}, field="roles"),
        reader=parse(ReaderOptions, {}, field="reader"),
        split=parse(SplitOptions, {}, field="split"),
        purpose=purpose,
    )
    return snapshot, write_statistics(snapshot, folder / f"{purpose}-statistics")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The snapshot, its statistics, those of requests none of whose columns is as it was, and the schema."""
    folder = tmp_path_factory.mktemp("names")
    snapshot, statistics = described(folder, columns(400, 1), "training")
    asked = {name: values for name, values in columns(200, 2, strange=True).items() if name in NAMES}
    _, serving = described(folder, asked, "serving")
    schema = choose_schema(statistics, [], parse(InferencePolicy, {}, field="policy"))
    write_schema(schema, folder / "schema")
    return snapshot, statistics, serving, schema


def lacking(sentences):
    """Columns that no sentence is about."""
    return [name for name in NAMES if not any(f"`{name}`" in sentence for sentence in sentences)]


def test_the_snapshot_and_its_statistics_know_every_column(world):
    snapshot, statistics, _, schema = world
    assert set(NAMES) <= set(snapshot.columns)
    assert set(NAMES) <= set(snapshot.features)
    assert list(next(snapshot.batches("train", NAMES)).schema.names) == list(NAMES)
    page = html.unescape(statistics_page(statistics))
    assert [name for name in NAMES if name not in page] == []
    assert "<b>bold</b>" not in statistics_page(statistics)
    assert read_curated(schema_text(schema.proto), "again") == schema.proto


def test_the_schema_gate_has_a_finding_on_every_column(world):
    _, statistics, serving, schema = world
    verdict = validate_schema(statistics, serving, schema, parse(SchemaPolicy, {}, field="policy"))
    found = [check.reason for check in verdict.checks if check.name.startswith("serving") and check.status == "fail"]
    assert lacking(found) == []
    assert {check.status.value for check in verdict.checks if not check.name.startswith("serving")} == {"pass"}
    ignored = {
        "columns": {name: {"severity": {"out_of_range": "ignore", "unseen_categories": "ignore"}} for name in NAMES}
    }
    assert validate_schema(statistics, serving, schema, parse(SchemaPolicy, ignored, field="policy")).status == "pass"


def test_a_kept_schema_is_proposed_with_a_change_of_every_column(world):
    _, statistics, serving, schema = world
    kept = replace(schema, curated=True)
    verdict = validate_schema(statistics, serving, kept, parse(SchemaPolicy, {}, field="policy"))
    proposal = propose(kept, subjects_of(statistics, serving), verdict)
    assert lacking(proposal.changes) == []
    assert not any("becomes" in change for change in proposal.changes)
    assert validation_page(verdict, kept, proposal)


def test_a_column_whose_type_changed_is_inferred_anew_whatever_it_is_called(world, tmp_path):
    _, statistics, _, schema = world
    text = {
        name: [f"t{row % 3}" for row in range(200)] if name in NAMES[:4] else values
        for name, values in columns(200, 3).items()
    }
    _, changed = described(tmp_path, {name: text[name] for name in NAMES}, "serving")
    kept = replace(schema, curated=True)
    verdict = validate_schema(statistics, changed, kept, parse(SchemaPolicy, {}, field="policy"))
    wrong = [check.name for check in verdict.checks if check.name.endswith("wrong type")]
    assert wrong == [f"serving: {name}, wrong type" for name in NAMES[:4]]
    proposal = propose(kept, subjects_of(statistics, changed), verdict)
    assert {f"`{name}` becomes string; so far float." for name in NAMES[:4]} <= set(proposal.changes)


def test_every_column_is_compared_and_has_moved(world):
    _, statistics, serving, schema = world
    result = detect_skew(
        statistics, serving, statistics, schema, parse(SkewPolicy, {"replicates": 1000}, field="policy")
    )
    moved = [
        check.reason for check in result.verdict.checks if check.name.startswith("serving") and check.status == "fail"
    ]
    assert lacking(moved) == []
    assert {c.status.value for c in result.verdict.checks if c.name.startswith("previous")} <= {"pass", "inconclusive"}
    assert skew_page(result)


def test_every_column_is_looked_at_for_leaks_and_may_be_a_key(world):
    snapshot, *_ = world
    policy = {"keys": [{"columns": list(NAMES)}, *({"columns": [name]} for name in NAMES)], "across_splits": [{}]}
    result = check_integrity(snapshot, [], parse(IntegrityPolicy, policy, field="policy"))
    status = {check.name: check.status.value for check in result.verdict.checks}
    assert {status[f"leakage: {name}"] for name in NAMES} <= {"pass", "inconclusive"}
    assert {status[f"key: {name}"] for name in NAMES} == {"fail"}
    assert status[f"key: {', '.join(NAMES)}"] == status[f"key: {KEY}"] == "pass"
    assert integrity_page(result)
