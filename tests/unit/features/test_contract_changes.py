from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.errors import ConfigurationError
from gauntlet.features.contract import FeatureContract, Terms
from gauntlet.features.contract_changes import (
    DEFAULTS,
    ChangeKind,
    ContractChange,
    ContractPolicy,
    _missing,
    compare_contracts,
)
from gauntlet.settings import parse
from gauntlet.verdict import Check, Status

AMOUNT = Terms("amount", "float", None, 1_000, 0)
CITY = Terms("city", "string", None, 1_000, 100, {"Bern": 600, "Oslo": 299, "Zug": 1})
READ = Terms("amount", "float", False)


def contract(*terms: Terms, side: Any = "gives", state: str = "") -> FeatureContract:
    return FeatureContract("it", side, {one.name: one for one in terms}, state)


def compare(before: FeatureContract, after: FeatureContract, **policy: Any) -> tuple[Check, ...]:
    first = FeatureContract("the champion", before.side, before.terms, before.state)
    second = FeatureContract("the candidate", after.side, after.terms, after.state)
    return compare_contracts(first, second, parse(ContractPolicy, policy, field="policy"))


def changed(**values: Any) -> Terms:
    return Terms(**{"name": "amount", "type": "float", "required": None, "rows": 1_000, "missing": 0, **values})


def test_the_same_contract_agrees() -> None:
    (check,) = compare(contract(AMOUNT, CITY), contract(AMOUNT, CITY))
    assert (check.status, check.name) == (Status.PASS, "contract")
    assert check.reason == (
        "2 features of the candidate agree with the champion in name, type, missing values and categories."
    )


@pytest.mark.parametrize(
    ("before", "after", "name", "status", "words"),
    [
        pytest.param(
            contract(AMOUNT, CITY), contract(CITY), "amount, gone", Status.FAIL,
            "`amount` is given by the champion and not by the candidate: whoever reads it finds nothing.", id="gone",
        ),
        pytest.param(
            contract(READ, CITY, side="reads"), contract(CITY, side="reads"), "amount, not read", Status.PASS,
            "`amount` is read by the champion and no longer by the candidate.", id="not read",
        ),
        pytest.param(
            contract(CITY), contract(AMOUNT, CITY), "amount, new", Status.PASS,
            "`amount` is new in the candidate: the past has no values for it. Backfill it", id="new",
        ),
        pytest.param(
            contract(CITY, side="reads"), contract(READ, CITY, side="reads"), "amount, new", Status.PASS,
            "`amount` is new in the candidate, which does without it where need be.", id="new, optional",
        ),
        pytest.param(
            contract(CITY, side="reads"), contract(Terms("amount", "float", True), CITY, side="reads"),
            "amount, new required", Status.INCONCLUSIVE, "which needs it in every row.", id="new, required",
        ),
        pytest.param(
            contract(AMOUNT, CITY), contract(CITY, AMOUNT), "order", Status.INCONCLUSIVE,
            "in place 1 the candidate has `city`, the champion has `amount`.", id="order",
        ),
        pytest.param(
            contract(AMOUNT), contract(changed(type="string")), "amount, type", Status.FAIL,
            "`amount` is string in the candidate and float in the champion.", id="type",
        ),
        pytest.param(
            contract(changed(type="int")), contract(AMOUNT), "amount, fractions", Status.INCONCLUSIVE,
            "readers may not expect fractions", id="fractions",
        ),
        pytest.param(
            contract(AMOUNT), contract(changed(type="int")), "amount, widened", Status.PASS,
            "readers of real numbers can read it", id="whole numbers given",
        ),
        pytest.param(
            contract(READ, side="reads"), contract(Terms("amount", "int", False), side="reads"), "amount, narrowed",
            Status.FAIL, "callers that send fractions are refused", id="whole numbers read",
        ),
        pytest.param(
            contract(Terms("amount", "int", False), side="reads"), contract(READ, side="reads"), "amount, widened",
            Status.PASS, "whole numbers are still read", id="any numbers read",
        ),
        pytest.param(
            contract(READ, side="reads"), contract(Terms("amount", "float", True), side="reads"), "amount, required",
            Status.FAIL, "The candidate refuses rows without `amount`, and the champion took them.", id="required",
        ),
        pytest.param(
            contract(Terms("amount", "float", True), side="reads"), contract(READ, side="reads"), "amount, optional",
            Status.PASS, "The candidate takes rows without `amount`.", id="optional",
        ),
        pytest.param(
            contract(AMOUNT), contract(changed(missing=50)), "amount, missing now", Status.FAIL,
            "`amount` is missing in 5.0% of the rows of the candidate, and in none of the champion.", id="missing now",
        ),
        pytest.param(
            contract(changed(missing=50)), contract(AMOUNT), "amount, filled now", Status.INCONCLUSIVE,
            "never missing in the candidate, and is in 5.0% of the rows of the champion.", id="filled now",
        ),
        pytest.param(
            contract(CITY), contract(Terms("city", "string", None, 1_000, 100, {"BERN": 600, "OSLO": 300})),
            "city, other categories", Status.FAIL,
            "none of its categories left: the candidate has 'BERN' and 'OSLO', the champion 'Bern', 'Oslo' and 'Zug'.",
            id="relabelled",
        ),
        pytest.param(
            contract(CITY), contract(Terms("city", "string", None, 1_000, 100, {"Bern": 900})),
            "city, categories gone", Status.INCONCLUSIVE, "`city` no longer has 'Oslo' in the candidate.",
            id="gone city",
        ),
        pytest.param(
            contract(CITY), contract(Terms("city", "string", None, 1_000, 100, {**CITY.categories, "Rome": 1})),
            "city, categories new", Status.PASS, "`city` has 'Rome' in the candidate, which the champion has not.",
            id="new city",
        ),
        pytest.param(
            contract(AMOUNT, state="sha256:aaaa"), contract(AMOUNT, state="sha256:bbbb"), "state", Status.PASS,
            "What the feature code has learned differs: bbbb in the candidate, aaaa in the champion.", id="state",
        ),
    ],
)  # fmt: skip
def test_every_change_is_found_and_said(
    before: FeatureContract, after: FeatureContract, name: str, status: Status, words: str
) -> None:
    found = {check.name: check for check in compare(before, after)}
    assert set(found) == {"contract", f"contract: {name}"}
    check = found[f"contract: {name}"]
    assert check.status is status
    assert words in check.reason


def test_the_cases_above_are_all_the_changes_there_are() -> None:
    assert set(DEFAULTS) == set(ChangeKind)
    marks = [mark for mark in test_every_change_is_found_and_said.pytestmark if mark.name == "parametrize"]
    named = {case.values[2].rpartition(", ")[2].replace(" ", "_") for case in marks[0].args[1]}
    assert named == {change.value for change in ChangeKind}


def test_a_small_sample_proves_nothing() -> None:
    few = changed(rows=10, missing=0)
    assert len(compare(contract(changed(missing=50)), contract(few))) == 1  # 0.95^10: no value missing is no surprise
    assert len(compare(contract(few), contract(changed(rows=10, missing=1)))) == 1
    assert len(compare(contract(changed(rows=0)), contract(changed(missing=500)))) == 1
    # Zug was seen in one row of 900: its absence from another sample says nothing, and 'Oslo' missing says a lot.
    fewer = Terms("city", "string", None, 1_000, 100, {"Bern": 600, "Oslo": 300})
    assert len(compare(contract(CITY), contract(fewer))) == 1


def test_a_declared_list_is_no_sample() -> None:
    declared = Terms("city", "string", False, categories={"Bern": 0, "Oslo": 0})
    shorter = Terms("city", "string", False, categories={"Bern": 0})
    (gone, _) = compare(contract(declared, side="reads"), contract(shorter, side="reads"))
    assert gone.name == "contract: city, categories gone"


def test_severities_and_announced_changes_are_policy() -> None:
    before, after = contract(AMOUNT, CITY), contract(CITY)
    (check, _) = compare(before, after, severity={"gone": "inconclusive"})
    assert check.status is Status.INCONCLUSIVE
    (check, _) = compare(before, after, accepted=["amount"])
    assert check.status is Status.PASS
    assert check.reason.endswith("The policy accepts it.")
    with pytest.raises(ConfigurationError, match="severity"):
        compare(before, after, severity={"lost": "fail"})


def test_nothing_to_compare_is_an_error() -> None:
    (check,) = compare(contract(AMOUNT), contract())
    assert (check.status, check.reason) == (Status.ERROR, "The candidate has no features to compare.")
    with pytest.raises(ValueError, match="the champion gives features, the candidate reads them"):
        compare(contract(AMOUNT), contract(READ, side="reads"))


TERMS = st.builds(
    Terms,
    st.sampled_from(["a", "b", "c", "d"]),
    st.sampled_from(["int", "float", "string", "bool", "timestamp", ""]),
    st.none() | st.booleans(),
    st.integers(0, 50),
    st.integers(0, 50),
    st.none() | st.dictionaries(st.sampled_from("xyz"), st.integers(0, 20), max_size=3),
).map(lambda one: Terms(one.name, one.type, one.required, one.rows, min(one.missing, one.rows), one.categories))
CONTRACTS = st.lists(TERMS, min_size=1, max_size=4, unique_by=lambda one: one.name).map(lambda all_: contract(*all_))


@given(CONTRACTS, CONTRACTS)
def test_any_two_contracts_can_be_compared(before: FeatureContract, after: FeatureContract) -> None:
    found = compare(before, after)
    assert len({check.name for check in found}) == len(found)
    assert all(check.reason.endswith(".") for check in found)
    gone = {name for name in before.terms if name not in after.terms}
    assert {check.name for check in found if check.name.endswith(", gone")} == {
        f"contract: {name}, gone" for name in gone
    }
    assert len(compare(before, before)) == 1


def binomial(rows: int, share: float) -> list[float]:
    """Chances of 0, 1, … hits."""
    return [math.comb(rows, hits) * share**hits * (1 - share) ** (rows - hits) for hits in range(rows + 1)]


@pytest.mark.parametrize("alpha", [0.05, 0.005])
@pytest.mark.parametrize("rows", [(5, 5), (5, 40), (40, 5), (30, 30)])
def test_samples_of_one_share_differ_no_more_often_than_alpha(rows: tuple[int, int], alpha: float) -> None:
    """Exact. Going by the first share as found would say "filled in now" eight times as often, with 5 and 40 rows."""
    first, second = rows
    found = {
        (missing, others): {change.kind for change in _missing_changes((missing, first), (others, second), alpha)}
        for missing in range(first + 1)
        for others in range(second + 1)
    }
    for share in (0.01, 0.03, 0.1, 0.2, 0.4):
        before, after = binomial(first, share), binomial(second, share)
        for kind in (ChangeKind.MISSING_NOW, ChangeKind.FILLED_NOW):
            wrong = sum(before[one] * after[other] for (one, other), kinds in found.items() if kind in kinds)
            assert wrong <= alpha


def _missing_changes(before: tuple[int, int], after: tuple[int, int], alpha: float) -> list[ContractChange]:
    terms = [Terms("amount", "float", False, rows, missing) for missing, rows in (before, after)]
    return list(_missing(*terms, contract(terms[0]), contract(terms[1]), alpha))


def test_one_of_many_categories_is_not_missed_by_chance() -> None:
    """Of twenty categories with 5 % each, one or more is in none of 60 rows in 61 % of samples."""
    counts = {f"c{number}": 50 for number in range(20)}
    before = Terms("city", "string", False, 1_000, 0, counts)
    fewer = Terms("city", "string", False, 60, 0, dict.fromkeys(list(counts)[1:], 3))
    much_more = Terms("city", "string", False, 600, 0, dict.fromkeys(list(counts)[1:], 30))
    assert len(compare(contract(before), contract(fewer))) == 1
    assert compare(contract(before), contract(much_more))[0].name == "contract: city, categories gone"
