"""What a reader should know of a column, each with one that is nearly so and is not."""

import numpy as np
import pytest

from gauntlet.data.profile import Profile
from gauntlet.data.value_counts import Tally
from gauntlet.reports.views.remarks import Kind, in_short, remark_on

RNG = np.random.default_rng(5)
ROWS = 2000


def number(values, kind: str = "float", rows: int = ROWS) -> Profile:
    values = np.asarray(values, dtype=float)
    tally = Tally()
    tally.add(values)
    if not len(values):
        return Profile("x", kind, rows, 0, categorical=False)
    return Profile(
        "x",
        kind,
        rows,
        len(values),
        categorical=False,
        minimum=float(values.min()),
        maximum=float(values.max()),
        edges=np.quantile(values, np.linspace(0, 1, 101)),
        counted=tally.result(),
    )


def words(counts: dict[str, int], kind: str = "string", distinct: int | None = None) -> Profile:
    return Profile(
        "x",
        kind,
        ROWS,
        distinct or sum(counts.values()),
        categorical=True,
        values=tuple(counts),
        counts=np.array(list(counts.values()), dtype=float),
        distinct=distinct or len(counts),
    )


NORMAL = RNG.normal(size=ROWS)
CASES = {
    "no value": ([number([])], Kind.EMPTY),
    "one number": ([number(np.full(ROWS, 7))], Kind.CONSTANT),
    "one word": ([words({"a": ROWS})], Kind.CONSTANT),
    "one number in each split": ([number(np.full(ROWS, 7)), number(np.full(ROWS, 8))], Kind.CONSTANT),
    "two numbers": ([number([0, 1] * (ROWS // 2))], None),
    "nine in ten missing": ([number(NORMAL[: ROWS // 10])], Kind.NEARLY_EMPTY),
    "one value and nearly empty": ([number([3.2] * 20)], Kind.NEARLY_EMPTY),
    "a quarter missing": ([number(NORMAL[: ROWS * 3 // 4])], Kind.MISSING),
    "a tenth missing": ([number(NORMAL[: ROWS * 9 // 10])], None),
    "a quarter missing in one split": ([number(NORMAL), number(NORMAL[: ROWS * 3 // 4])], Kind.MISSING),
    "mostly zero": ([number([0] * 1950 + [1] * 50)], Kind.NEARLY_CONSTANT),
    "often zero": ([number([0] * 1800 + [1] * 200)], None),
    "a name a row": ([words({f"x{i}": 1 for i in range(1000)}, distinct=ROWS)], Kind.IDENTIFIER),
    "a number a row": ([number(RNG.permutation(ROWS), "int")], Kind.IDENTIFIER),
    "seven in ten numbers": ([number(RNG.permutation(int(ROWS * 1.4))[:ROWS], "int")], Kind.IDENTIFIER),
    "integers that recur": ([number(RNG.integers(0, ROWS // 2, ROWS), "int")], None),
    "a new word": ([words({"a": 1500, "b": 500}), words({"a": 1500, "c": 500})], Kind.NEW),
    "a word gone": ([words({"a": 1500, "b": 500}), words({"a": ROWS})], None),
    "lognormal": ([number(np.exp(RNG.normal(0, 2, ROWS)))], Kind.SKEWED),
    "its mirror": ([number(-np.exp(RNG.normal(0, 2, ROWS)))], Kind.SKEWED),
    "normal": ([number(NORMAL)], None),
    "a rare one of two": ([number([0] * 1800 + [9] * 200)], None),
}


@pytest.mark.parametrize("case", CASES)
def test_a_column_is_remarked_on_as_it_is(case):
    profiles, expected = CASES[case]
    found = remark_on({f"split{i}": profile for i, profile in enumerate(profiles)})
    assert (found.kind if found else None) == expected


def test_statistics_without_counts_still_have_their_remarks():
    old = Profile("x", "float", 10, 10, categorical=False, minimum=1, maximum=1, edges=np.ones(101))
    assert remark_on({"train": old}).kind is Kind.CONSTANT


def test_remarks_are_listed_by_kind():
    skewed, constant = remark_on({"a": CASES["lognormal"][0][0]}), remark_on({"a": CASES["one word"][0][0]})
    assert in_short([("a", skewed), ("b", constant), ("c", skewed)]) == (("constant", ("b",)), ("skewed", ("a", "c")))
