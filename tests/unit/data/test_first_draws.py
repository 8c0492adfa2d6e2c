"""A schema inferred from one file holds for the splits and the next draws of it, and still finds what is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from builders.first_runs import LAWS, draw
from gauntlet.data.findings import Problem
from gauntlet.data.schema import ChosenSchema, choose_schema, contract_of, read_curated, schema_text
from gauntlet.data.schema_inference import InferencePolicy, learned_from
from gauntlet.data.statistics import Statistics, write_statistics
from gauntlet.data.validation import SchemaPolicy, validate_schema
from gauntlet.verdict import Check, Status
from snapshots import write_snapshot


def statistics_of(folder, roles=None, **splits) -> Statistics:
    tables = {
        name: pa.table({n: column if isinstance(column, pa.Array) else pa.array(column) for n, column in found.items()})
        for name, found in splits.items()
    }
    return write_statistics(write_snapshot(folder / "snapshot", tables, roles or {}), folder / "statistics")


def inferred(statistics: Statistics) -> ChosenSchema:
    return choose_schema(statistics, [], InferencePolicy())


def kept(schema: ChosenSchema) -> ChosenSchema:
    """The same schema as a team keeps it, read back from its text."""
    return ChosenSchema(read_curated(schema_text(schema.proto), "kept"), "curated file schema.pbtxt", curated=True)


def findings(statistics: Statistics, schema: ChosenSchema | None = None) -> list[Check]:
    verdict = validate_schema(statistics, None, schema or inferred(statistics), SchemaPolicy())
    return [check for check in verdict.checks if check.status is not Status.PASS]


def beside(rng, column) -> dict:
    """A column under test among nine others."""
    return {"x": column, **{f"c{n}": rng.normal(size=len(column)) for n in range(9)}}


def test_the_first_file_agrees_with_the_schema_inferred_from_it_and_so_does_the_next(tmp_path):
    rng = np.random.default_rng(4)

    def rows(n):
        return {law: draw(law, rng, n) for law in LAWS}

    first = statistics_of(tmp_path / "first", train=rows(525), validation=rows(112), test=rows(113))
    schema = inferred(first)
    assert not [check.reason for check in findings(first) if "unseen" not in check.code]
    following = statistics_of(tmp_path / "next", train=rows(525), test=rows(225))
    told = findings(following, kept(schema))
    assert not [check.reason for check in told if check.status is Status.FAIL]
    assert len(told) <= 3


def test_one_value_of_750_widens_the_range(tmp_path):
    rng = np.random.default_rng(5)
    test = beside(rng, np.where(np.arange(225) == 100, 8, 0))
    found = statistics_of(tmp_path, train=beside(rng, np.zeros(525, int)), test=test)
    assert findings(found) == []
    (feature,) = [feature for feature in inferred(found).proto.feature if feature.name == "x"]
    assert (contract_of(inferred(found).proto).columns["x"].maximum, learned_from(feature)) == (12, 750)


FAULTS = {
    "another unit": lambda x, rng: x * 1_000,
    "a sentinel in one of a hundred": lambda x, rng: np.where(rng.random(len(x)) < 0.015, -999, x),
    "negative": lambda x, rng: -x,
    "another column": lambda x, rng: rng.normal(170_000, 9_000, len(x)),
}


def test_a_file_that_is_not_of_the_same_law_still_fails(tmp_path):
    rng = np.random.default_rng(6)
    laws = ("normal", "lognormal", "Pareto, no variance")
    columns = {f"{law}, {fault}": (LAWS[law], FAULTS[fault]) for law in laws for fault in FAULTS}
    train = {name: law(rng, 3_000) for name, (law, _) in columns.items()}
    test = {name: fault(law(rng, 1_500), rng) for name, (law, fault) in columns.items()}
    checks = findings(statistics_of(tmp_path, train=train, test=test))
    assert {(check.name, check.status) for check in checks} == {
        (f"test: {name}, out of range", Status.FAIL) for name in columns
    }


@pytest.mark.parametrize("where", ["train", "test", "next"])
def test_a_lone_impossible_value_is_told_wherever_it_fell(tmp_path, where):
    rng = np.random.default_rng(7)
    splits = {"train": rng.uniform(18, 90, 7_000).round(), "test": rng.uniform(18, 90, 3_000).round()}
    schema = None
    if where == "next":
        schema = kept(inferred(statistics_of(tmp_path / "first", **{k: {"age": v} for k, v in splits.items()})))
    split = "test" if where == "next" else where
    splits[split] = np.where(np.arange(len(splits[split])) == 50, -999, splits[split])
    (check,) = findings(statistics_of(tmp_path, **{k: {"age": v} for k, v in splits.items()}), schema)
    assert check.status is Status.INCONCLUSIVE
    assert f"In {split}, `age` goes down to −999, with 0." in check.reason
    assert "(1 of " in check.reason
    assert "below the inferred minimum of 0. They lie far from all others." in check.reason


def test_what_a_person_writes_is_a_promise(tmp_path):
    rng = np.random.default_rng(8)
    ages = rng.uniform(18, 90, 2_000).round()
    schema = inferred(statistics_of(tmp_path / "first", train={"age": ages}))
    promise = schema_text(schema.proto).replace('tag: "inferred from 2000 rows"', "")
    promised = ChosenSchema(read_curated(promise, "kept"), "curated file schema.pbtxt", curated=True)
    one = np.where(np.arange(2_000) == 5, 200.0, ages)
    gap = pa.array(ages, mask=np.arange(2_000) == 5)
    for n, (changed, problem) in enumerate([(one, Problem.OUT_OF_RANGE), (gap, Problem.MISSING_VALUES)]):
        found = statistics_of(tmp_path / str(n), train={"age": changed})
        (check,) = findings(found, promised)
        assert (check.status, check.code) == (Status.FAIL, f"validate_schema.{problem.value}")
        assert "the curated schema, or set schema_policy: " in check.reason
        assert all(check.status is not Status.FAIL for check in findings(found, kept(schema)))


@pytest.mark.parametrize(("gaps", "status"), [(1, Status.INCONCLUSIVE), (60, Status.FAIL)])
def test_none_seen_is_not_none_may_be(tmp_path, gaps, status):
    rng = np.random.default_rng(9)
    schema = inferred(statistics_of(tmp_path / "first", train=beside(rng, rng.normal(size=600))))
    column = pa.array(rng.normal(size=300), mask=np.arange(300) < gaps)
    (check,) = findings(statistics_of(tmp_path / "next", train=beside(rng, column)), kept(schema))
    assert (check.status, check.code) == (status, "validate_schema.missing_values")
    assert f"({gaps} of 300); none was in 600 rows before." in check.reason
    assert '"severity": {"missing_values": "ignore"}' in check.reason


def test_a_gap_in_a_smaller_split_is_allowed_for_and_the_column_may_be_missing(tmp_path):
    rng = np.random.default_rng(10)
    test = beside(rng, pa.array(rng.normal(size=150), mask=np.arange(150) == 3))
    found = statistics_of(tmp_path, train=beside(rng, rng.normal(size=600)), test=test)
    assert findings(found) == []
    assert not contract_of(inferred(found).proto).columns["x"].required


@pytest.mark.parametrize("column", ["city", "zone"], ids=["names", "codes"])
def test_rare_categories_of_a_smaller_split_are_tolerated_and_a_new_one_in_many_rows_is_not(tmp_path, column):
    rng = np.random.default_rng(11)

    def rows(n, new=0):
        zone = np.where(np.arange(n) < new, 999, 100 + rng.geometric(0.2, n))
        return {"zone": zone, "city": [f"kind {code}" for code in zone]}

    roles = {"categorical": ["zone"]}
    found = statistics_of(tmp_path / "first", roles, train=rows(700), validation=rows(150), test=rows(150))
    assert findings(found) == []
    wrong = statistics_of(tmp_path / "next", roles, train=rows(700), test=rows(300, new=60))
    failed = [check for check in findings(wrong, kept(inferred(found))) if check.subject == column]
    assert [(check.name, check.status) for check in failed] == [(f"test: {column}, unseen categories", Status.FAIL)]


def test_more_names_than_are_counted_get_no_list(tmp_path):
    rng = np.random.default_rng(12)
    names = [f"n{code}" for code in rng.integers(0, 2_000, 20_000)]
    found = statistics_of(tmp_path, train={"name": names}, test={"name": names[:3_000]})
    assert contract_of(inferred(found).proto).columns["name"].values is None
    assert findings(found) == []


def test_domains_come_from_rows_whatever_their_weights(tmp_path):
    rng = np.random.default_rng(13)

    def rows(n):
        site = rng.choice(["alpha", "beta", "gamma"], n)
        x = np.where(site == "gamma", 900.0, rng.normal(size=n))
        return {"site": site.tolist(), "x": x, "w": np.where(site == "gamma", 0.0, 1.0)}

    found = statistics_of(tmp_path, {"weight": "w"}, train=rows(700), test=rows(300))
    assert findings(found) == []
    columns = contract_of(inferred(found).proto).columns
    assert columns["site"].values == ("alpha", "beta", "gamma")
    assert columns["x"].maximum >= 900


def test_statistics_without_ends_are_judged_by_their_quantiles(tmp_path):
    """Of a champion that was trained before ends were kept."""
    rng = np.random.default_rng(14)
    found = statistics_of(
        tmp_path, train=beside(rng, rng.normal(size=3_000)), test=beside(rng, rng.normal(9e3, 1, 900))
    )
    for name in found.splits:
        dataset = found.split(name)
        for feature in dataset.features:
            del feature.custom_stats[:]
        lists = type(dataset).DESCRIPTOR.file.message_types_by_name["DatasetFeatureStatisticsList"]._concrete_class
        (found.path / f"{name}.pb").write_bytes(lists(datasets=[dataset]).SerializeToString())
    (check,) = findings(replace(found))
    assert (check.name, check.status) == ("test: x, out of range", Status.FAIL)
