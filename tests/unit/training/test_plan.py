from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from builders.training import CONTRACT, ROLES, recipe_of
from gauntlet.data.contract import Column, Contract
from gauntlet.data.snapshot import Snapshot
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.training.plan import make_plan

SnapshotOf = Callable[..., Snapshot]


def contract_with(*columns: Column) -> Contract:
    return Contract({**CONTRACT.columns, **{column.name: column for column in columns}})


def replaced(name: str, values: Callable[[pa.Table], Any]) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        return table.set_column(table.schema.get_field_index(name), name, values(table))

    return change


def nothing(kind: pa.DataType) -> Callable[[pa.Table], pa.Array]:
    return lambda table: pa.nulls(table.num_rows, kind)


def test_features_come_from_schema_and_roles_alone(snapshot_of: SnapshotOf) -> None:
    plan = make_plan(snapshot_of(), CONTRACT, recipe_of())
    assert plan.names == ["amount", "count", "region", "code", "member"]
    kinds = {feature.name: feature.categories for feature in plan.features}
    assert kinds == {
        "amount": None,
        "count": None,
        "region": ("east", "north", "south", "west"),
        "code": ("1", "2", "3"),
        "member": None,
    }
    assert plan.target.classes == ("late", "paid")
    assert plan.notes == ()


def test_include_and_exclude(snapshot_of: SnapshotOf) -> None:
    snapshot = snapshot_of()
    assert make_plan(snapshot, CONTRACT, recipe_of(features={"include": ["region", "amount"]})).names == [
        "amount",
        "region",
    ]
    assert "region" not in make_plan(snapshot, CONTRACT, recipe_of(features={"exclude": ["region"]})).names
    with pytest.raises(ConfigurationError, match=r"recipe.features.include: .*found 'outcome'"):
        make_plan(snapshot, CONTRACT, recipe_of(features={"include": ["outcome"]}))


@pytest.mark.parametrize(
    ("contract", "change", "note"),
    [
        pytest.param(
            Contract({name: column for name, column in CONTRACT.columns.items() if name != "count"}),
            lambda table: table,
            "count was left out: it is not in the schema.",
            id="unknown to the schema",
        ),
        pytest.param(
            contract_with(Column("count", "int", serving=False)),
            lambda table: table,
            "count was left out: the schema declares it absent at serving time.",
            id="not there at serving",
        ),
        pytest.param(
            CONTRACT,
            replaced("amount", nothing(pa.float64())),
            "amount was left out: it is missing in every training row.",
            id="all missing",
        ),
        pytest.param(
            contract_with(Column("count", "timestamp")),
            replaced("count", nothing(pa.timestamp("us", "UTC"))),
            "count was left out: timestamps are not features; derive columns from it in the source if needed.",
            id="timestamp",
        ),
        pytest.param(
            contract_with(Column("region", "string", categorical=True, values=("mars",))),
            lambda table: table,
            "region was left out: no training row has a value of the schema's domain.",
            id="no listed value",
        ),
    ],
)
def test_a_column_left_out_is_spoken_of(
    snapshot_of: SnapshotOf, contract: Contract, change: Callable[[pa.Table], pa.Table], note: str
) -> None:
    plan = make_plan(snapshot_of(change=change), contract, recipe_of())
    assert plan.notes == (note,)
    assert note.split()[0] not in plan.names


def test_rare_and_unlisted_categories_count_as_missing_and_are_spoken_of(snapshot_of: SnapshotOf) -> None:
    snapshot = snapshot_of()
    listed = contract_with(Column("region", "string", categorical=True, values=("north", "south", "mars")))
    plan = make_plan(snapshot, listed, recipe_of())
    assert plan.features[2].categories == ("north", "south")
    assert plan.notes[0].startswith("region: 2 of 4 categories (")
    assert plan.notes[0].endswith("rows) count as missing, not listed in the schema.")

    capped = make_plan(snapshot, CONTRACT, recipe_of(features={"max_categories": 3}))
    counts = {pair["values"]: pair["counts"] for pair in pc.value_counts(snapshot.table("train")["region"]).to_pylist()}
    most = sorted((name for name in counts if name), key=lambda name: -counts[name])[:3]
    assert capped.features[2].categories == tuple(sorted(most))
    assert "beyond features.max_categories" in capped.notes[0]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        pytest.param(
            lambda table: table.drop_columns(["region"]), DataError, r"region: the schema requires", id="missing column"
        ),
        pytest.param(
            replaced("amount", lambda table: table["region"]),
            DataError,
            r"amount: is string in the snapshot and float in the schema",
            id="wrong type",
        ),
        pytest.param(
            replaced("outcome", lambda table: pa.array(["late"] * table.num_rows)),
            DataError,
            r"outcome: every training row has the same label; found 'late'",
            id="one class",
        ),
        pytest.param(
            replaced("outcome", lambda table: pc.if_else(pc.equal(table["outcome"], "paid"), None, "late")),
            DataError,
            r"outcome: \d+ of 600 training rows have no label",
            id="missing labels",
        ),
        pytest.param(
            lambda table: table.drop_columns(["outcome"]), DataError, r"outcome: the label column", id="no label column"
        ),
    ],
)
def test_data_that_cannot_be_learned_from(
    snapshot_of: SnapshotOf, change: Callable[[pa.Table], pa.Table], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        make_plan(snapshot_of(change=change), CONTRACT, recipe_of())


def test_integers_fit_a_column_the_schema_calls_float(snapshot_of: SnapshotOf) -> None:
    plan = make_plan(snapshot_of(), contract_with(Column("count", "float")), recipe_of())
    assert "count" in plan.names


def test_no_label_no_features_and_an_unknown_positive(snapshot_of: SnapshotOf) -> None:
    with pytest.raises(ConfigurationError, match=r"roles.label: no label is declared"):
        make_plan(snapshot_of(roles={}), CONTRACT, recipe_of())
    with pytest.raises(ConfigurationError, match=r"roles.positive: .*late, paid"):
        make_plan(snapshot_of(roles={**ROLES, "positive": "yes"}), CONTRACT, recipe_of())
    only_late = {**ROLES, "exclude": ["amount", "count", "region", "code", "member"]}
    with pytest.raises(DataError, match="no feature is left"):
        make_plan(snapshot_of(roles=only_late), CONTRACT, recipe_of())


def test_the_positive_class_comes_last(snapshot_of: SnapshotOf) -> None:
    plan = make_plan(snapshot_of(roles={**ROLES, "positive": "late"}), CONTRACT, recipe_of())
    assert plan.target.classes == ("paid", "late")


def test_monotone_constraints_are_for_numeric_features(snapshot_of: SnapshotOf) -> None:
    with pytest.raises(ConfigurationError, match=r"recipe.monotone: .*found 'region'.*amount, count, member"):
        make_plan(snapshot_of(), CONTRACT, recipe_of(monotone={"region": 1}))


def test_the_example_row_is_made_up_of_typical_values(snapshot_of: SnapshotOf) -> None:
    plan = make_plan(snapshot_of(), replace(CONTRACT), recipe_of())
    assert set(plan.typical) == set(plan.names)
    assert plan.typical["region"] in ("north", "south", "east", "west")
    assert plan.typical["code"] in (1, 2, 3)
    assert plan.typical["member"] is False
