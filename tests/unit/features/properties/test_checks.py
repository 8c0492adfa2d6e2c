from __future__ import annotations

import re
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from builders.feature_code import (
    CITIES,
    ROLES,
    as_text,
    by_batch_categories,
    by_batch_mean,
    by_call,
    by_chance,
    by_lookup,
    by_ratio,
    later_applications,
    numbers,
    raw_rows,
    running_total,
    sound,
    transform_of,
    with_column,
)
from gauntlet.errors import DataError
from gauntlet.features.properties.checks import check_properties
from gauntlet.features.properties.policy import HOSTILE, PropertiesPolicy, Property
from gauntlet.features.properties.trial import NAMES, spread
from gauntlet.features.transform import wrap
from gauntlet.settings import parse
from gauntlet.verdict import Check, Status


def policy(**values: Any) -> PropertiesPolicy:
    return parse(PropertiesPolicy, values, field="policy")


def checks(features: Any, rows: pa.Table | None = None, **options: Any) -> dict[Property, Check]:
    options = {"roles": ROLES, "policy": policy(), **options}
    found = check_properties(transform_of(features), raw_rows() if rows is None else rows, **options)
    asked = [one for one in Property if options["roles"] is not None or one is not Property.POINT_IN_TIME]
    assert [one.name for one in found] == [NAMES[one] for one in asked]
    return dict(zip(asked, found, strict=True))


def failing(found: dict[Property, Check]) -> set[Property]:
    return {name for name, check in found.items() if check.status is Status.FAIL}


def test_sound_feature_code_has_every_property() -> None:
    found = checks(sound)
    assert {check.status for check in found.values()} == {Status.PASS}, [one.reason for one in found.values()]
    assert all(check.reason.endswith(".") for check in found.values())


@pytest.mark.parametrize(
    ("fault", "broken", "words"),
    [
        pytest.param(
            by_batch_mean,
            {Property.ONE_ROW, Property.POINT_IN_TIME},
            r"In a batch of 200 rows.* `faulty` differs in 100% of rows, by up to [\d.]+",
            id="normalized by its batch",
        ),
        pytest.param(
            by_batch_categories,
            {Property.ONE_ROW, Property.ORDER, Property.POINT_IN_TIME},
            "`faulty` differs",
            id="categories of its batch",
        ),
        pytest.param(
            running_total,
            {Property.ONE_ROW, Property.ORDER, Property.POINT_IN_TIME},
            "depend on the order of the rows: in random order, `faulty` differs",
            id="running total",
        ),
        pytest.param(
            later_applications,
            {Property.ONE_ROW, Property.POINT_IN_TIME},
            r"Later rows change earlier features: without the rows after 1970-01-\d\d .*`faulty` differs",
            id="looks ahead",
        ),
        pytest.param(by_chance, {Property.DETERMINISM}, "a second time: `faulty` differs in 100%", id="chance"),
        pytest.param(by_call, {Property.DETERMINISM}, r"by up to 1 \(", id="remembers the call"),
        pytest.param(
            by_lookup,
            {Property.UNSEEN},
            r"'never seen before' in `city` breaks the code \(KeyError: 'never seen before'\)",
            id="lookup",
        ),
        pytest.param(
            as_text,
            {Property.PARQUET},
            r"Rows that pandas wrote and read give other features: `faulty` differs in \d\d.*'\d+\.0'\)",
            id="text of a number",
        ),
    ],
)
def test_each_fault_is_found_and_named_and_no_other(fault: Any, broken: set[Property], words: str) -> None:
    found = checks(with_column("faulty", fault))
    assert failing(found) == broken, [one.reason for one in found.values()]
    said = " ".join(found[name].reason for name in sorted(broken))
    assert re.search(words, said), said
    assert "`log_income`" not in said
    for name in broken:
        assert found[name].measured is not None
        assert found[name].measured > 0


def test_columns_that_depend_on_the_batch_are_found_one_row_at_a_time() -> None:
    def dummies(rows: pa.Table) -> pa.Table:
        present = sorted({city for city in rows["city"].to_pylist() if city is not None})
        columns = {f"city_{city}": [value == city for value in rows["city"].to_pylist()] for city in present}
        return (
            sound(rows).append_column("known", [pa.array([True] * rows.num_rows)]) if not columns else pa.table(columns)
        )

    check = checks(dummies)[Property.ONE_ROW]
    assert check.status is Status.FAIL
    assert "gives other columns than on the rows before" in check.reason


def test_code_that_breaks_on_a_row_alone_is_found() -> None:
    def ranked(rows: pa.Table) -> Any:
        income = numbers(rows, "income")
        if len(income) == 1:
            raise ZeroDivisionError("division by zero")
        return income

    check = checks(with_column("rank", ranked))[Property.ONE_ROW]
    assert check.status is Status.FAIL
    assert "Computing a row alone (row 0 alone) fails, with ZeroDivisionError: division by zero" in check.reason


def test_a_type_that_changes_for_a_row_alone_is_found() -> None:
    class Varying:
        name, inputs = "varying", None

        def __call__(self, rows: pa.Table) -> pa.Table:
            return pa.table({"faulty": rows["income"].to_pylist() if rows.num_rows > 1 else ["much"]})

    (check,) = check_properties(Varying(), raw_rows(), policy(), only=[Property.ONE_ROW])
    assert "`faulty` is string where it was double" in check.reason
    wrapped = checks(Varying())[Property.ONE_ROW]
    assert "faulty: Varying gives text for some rows and none for others" in wrapped.reason


def test_an_unseen_category_that_makes_a_column_is_no_refusal() -> None:
    def dummies(rows: pa.Table) -> pa.Table:
        cities = rows["city"].to_pylist()
        known = sorted({*CITIES, *(city for city in cities if city)})
        return pa.table({f"city_{city}": [value == city for value in cities] for city in known})

    check = checks(dummies)[Property.UNSEEN]
    assert check.status is Status.FAIL
    assert (
        "breaks the code (dummies gives other columns than on the rows before: city_never seen before)" in check.reason
    )


def test_a_missing_value_that_breaks_the_code_is_found_in_its_column() -> None:
    def careless(rows: pa.Table) -> Any:
        return [value + 1 for value in rows["term"].to_pylist()]

    check = checks(with_column("faulty", careless))[Property.NULLS]
    assert check.status is Status.FAIL
    assert "A missing value in `term` breaks the code (TypeError:" in check.reason
    assert "a missing value in every column breaks the code" in check.reason


def test_a_row_alone_may_break_where_a_batch_does_not() -> None:
    def first_known(rows: pa.Table) -> Any:
        known = [value for value in rows["income"].to_pylist() if value is not None]
        return [value if value is not None else known[0] * 0 for value in rows["income"].to_pylist()]

    check = checks(with_column("faulty", first_known))[Property.NULLS]
    assert "A missing value in `income` breaks the code in a row alone (IndexError:" in check.reason


def test_a_required_feature_may_not_go_missing() -> None:
    found = checks(sound, required=["log_income", "term"])
    check = found[Property.NULLS]
    assert failing(found) == {Property.NULLS}
    assert "a missing value in `income` leaves `log_income`" not in check.reason  # a missing income is taken for one
    assert "missing value in `term` leaves `term` without a value, and it is required" in check.reason


def test_a_spoilt_row_may_not_change_the_rows_between() -> None:
    def text(rows: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"term": rows["term"].astype(str)})  # "12", and "12.0" once a term is missing

    found = dict(
        zip(Property, check_properties(wrap(text, "text", ""), raw_rows(), policy(), roles=ROLES), strict=True)
    )
    assert failing(found) == {Property.NULLS}
    assert re.search(
        r"missing value in `term` changes `term` in other rows \('\d+', then '\d+\.0'\)", found[Property.NULLS].reason
    )


@pytest.mark.parametrize("options", [{"only": list(HOSTILE)}, {"policy": policy(leave_out=["one_row"])}])
def test_rows_between_are_not_said_to_change_where_other_rows_count_anyway(options: dict[str, Any]) -> None:
    features = transform_of(with_column("faulty", by_batch_mean))
    found = check_properties(features, raw_rows(), **{"policy": policy(), "roles": ROLES, **options})
    hostile = [check for check in found if check.name in {NAMES[one] for one in HOSTILE}]
    assert [check.status for check in hostile] == [Status.PASS] * 3


def test_an_infinite_feature_is_said_and_fails_where_it_is_forbidden() -> None:
    features = with_column("ratio", by_ratio)
    check = checks(features)[Property.EXTREMES]
    assert check.status is Status.PASS
    assert "Tolerated: 0 in `term` makes `ratio` infinite." in check.reason
    strict = checks(features, policy=policy(forbid_infinite=True))[Property.EXTREMES]
    assert strict.status is Status.FAIL
    assert "0 in `term` makes `ratio` infinite" in strict.reason
    assert "infinity in `income` makes `log_income` infinite" in strict.reason


@pytest.mark.parametrize("error", [ValueError("not a city"), DataError("not a city", field="city")])
def test_a_refusal_is_said_and_fails_where_the_policy_forbids_it(error: Exception) -> None:
    def refusing(rows: pa.Table) -> Any:
        if "never seen before" in rows["city"].to_pylist():
            raise error
        return numbers(rows, "income")

    features = with_column("checked", refusing)
    check = checks(features)[Property.UNSEEN]
    assert check.status is Status.PASS
    assert re.search(r"Tolerated: 'never seen before' in `city` is refused \(\w+: .*not a city", check.reason)
    strict = checks(features, policy=policy(may_refuse=["nulls"]))[Property.UNSEEN]
    assert strict.status is Status.FAIL
    assert "'never seen before' in `city` is refused" in strict.reason


def test_a_column_that_has_no_text_and_no_codes_cannot_be_unseen() -> None:
    rows = raw_rows().select(["income", "applied_at"])
    features = transform_of(lambda table: table.select(["income"]))
    (found,) = check_properties(features, rows, policy(), roles=ROLES, only=[Property.UNSEEN])
    assert (found.status, found.reason) == (
        Status.NOT_ASKED,
        "No column can hold a category nobody saw: there was nothing to try.",
    )


@pytest.mark.parametrize(
    ("values", "type_", "words"),
    [
        pytest.param(["a", "b"] * 100, pa.dictionary(pa.int8(), pa.string()), "`x` is string where", id="dictionary"),
        pytest.param([1, 2] * 100, pa.duration("ns"), "`x` is int64 where it was duration", id="duration"),
        pytest.param([1, 2] * 100, pa.month_day_nano_interval(), "ArrowNotImplementedError", id="no place in Parquet"),
    ],
)
def test_features_that_do_not_survive_parquet_are_found(values: list[Any], type_: Any, words: str) -> None:
    class Exotic:
        name, inputs = "exotic", None

        def __call__(self, rows: pa.Table) -> pa.Table:
            wanted = [(one, one, one) for one in values] if "interval" in str(type_) else values
            return pa.table({"x": pa.array(wanted[: rows.num_rows], type_)})

    (check,) = check_properties(Exotic(), raw_rows(), policy(), only=[Property.PARQUET])
    assert check.status is Status.FAIL
    assert check.reason.startswith("Features written to Parquet do not come back as they were: ")
    assert words in check.reason


def test_point_in_time_needs_times() -> None:
    assert Property.POINT_IN_TIME not in checks(sound, roles=None)
    rows = raw_rows().drop_columns(["applied_at"])
    check = checks(sound, rows)[Property.POINT_IN_TIME]
    assert check.status is Status.INCONCLUSIVE
    assert "the rows have no `applied_at`" in check.reason
    same = raw_rows()
    same = same.set_column(1, "applied_at", [pa.array([0] * 200, pa.timestamp("us", tz="UTC"))])
    check = checks(sound, same)[Property.POINT_IN_TIME]
    assert check.status is Status.INCONCLUSIVE
    assert "`applied_at` has fewer than two different values" in check.reason


def test_times_that_are_missing_or_few_are_no_obstacle() -> None:
    rows = raw_rows()
    times = pa.array([None] * 100 + [0] * 50 + [60_000_000] * 50, pa.timestamp("us", tz="UTC"))
    rows = rows.set_column(1, "applied_at", [times])
    assert checks(sound, rows)[Property.POINT_IN_TIME].status is Status.PASS

    def days_so_far(table: pa.Table) -> Any:
        return [float(len(set(table["applied_at"].drop_null().to_pylist())))] * table.num_rows

    assert checks(with_column("faulty", days_so_far), rows)[Property.POINT_IN_TIME].status is Status.FAIL


def test_a_single_row_cannot_show_most_of_it() -> None:
    found = checks(sound, raw_rows(1))
    inconclusive = {name for name, check in found.items() if check.status is Status.INCONCLUSIVE}
    assert inconclusive == {*Property} - {Property.DETERMINISM, Property.PARQUET}
    assert found[Property.ORDER].rows_needed == 2


def test_no_rows_and_code_that_fails_on_them_are_errors() -> None:
    (empty,) = check_properties(transform_of(sound), raw_rows(1).slice(0, 0), policy())
    assert (empty.status, "there are no rows" in empty.reason) == (Status.ERROR, True)

    def broken(rows: pa.Table) -> pa.Table:
        raise KeyError("income")

    (check,) = check_properties(transform_of(broken), raw_rows(), policy())
    assert check.status is Status.ERROR
    assert "on 200 rows as they are, broken fails, with KeyError: 'income'" in check.reason


def test_features_that_are_not_the_same_twice_are_not_said_again() -> None:
    found = checks(with_column("faulty", by_chance))
    assert failing(found) == {Property.DETERMINISM}


def test_a_process_of_its_own_that_gives_something_else_is_no_determinism() -> None:
    check = checks(sound, fresh=with_column("other", by_batch_mean))[Property.DETERMINISM]
    assert check.status is Status.FAIL
    assert "do not give the same features in another process: `other` is there and was not before" in check.reason


def test_only_what_is_read_is_spoilt() -> None:
    features = transform_of(with_column("faulty", by_lookup))
    features.inputs = ("income", "history", "city", "term")
    seen: list[str] = []
    spoilt = transform_of(lambda rows: seen.extend(rows.column_names) or with_column("f", by_lookup)(rows))
    spoilt.inputs = features.inputs
    check_properties(spoilt, raw_rows(), policy(), roles=ROLES)
    assert set(seen) == set(features.inputs)


@pytest.mark.parametrize("rows", [1, 5, 6, 7, 100])
def test_a_sample_is_spread_evenly_in_order(rows: int) -> None:
    sample = spread(pa.table({"x": list(range(rows))}), 6)["x"].to_pylist()
    assert sample == sorted(set(sample))
    assert len(sample) == min(rows, 6)
    assert {sample[0], sample[-1]} == {0, rows - 1}
