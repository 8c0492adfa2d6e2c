from __future__ import annotations

import itertools

import pytest

from gauntlet.features.diagnosis import Diagnosis, Kind
from gauntlet.features.findings import Comparison, Parties, Pattern, find_feature, pattern_of
from gauntlet.features.span import Age, Span
from gauntlet.features.wording import among, equation, explain, percent
from gauntlet.verdict import Status

LINE = Diagnosis(Kind.NORMALIZATION, 0.001, -2.5, 0.0, 1.0, 1.0, pairs=100)


def compared(name: str, age: Age, differs: bool, diagnosis: Diagnosis | None = LINE) -> Comparison:
    span = Span(name, age, None, name)  # type: ignore[arg-type]  # nothing is read from it
    share = 1.0 if differs else 0.0
    return Comparison(
        "income", span, differs, share, 0.001, 100, f"all rows of {name} differ", diagnosis if differs else None
    )


@pytest.mark.parametrize(
    ("past", "new", "pattern"),
    [
        pytest.param([False, False], False, Pattern.AGREES, id="nothing changed"),
        pytest.param([False, False], None, Pattern.AGREES, id="nothing changed, nothing new stored"),
        pytest.param([False, True], False, Pattern.REDEFINED, id="one span was not recomputed"),
        pytest.param([True, True], False, Pattern.REDEFINED, id="no span was recomputed"),
        pytest.param([True, False], True, Pattern.OTHER_CODE, id="other code"),
        pytest.param([False, False], True, Pattern.LAGS, id="the store lags"),
        pytest.param([True, True], None, Pattern.HISTORY, id="nothing new stored"),
        pytest.param([], True, Pattern.OTHER_CODE, id="no history"),
        pytest.param([], False, Pattern.AGREES, id="no history, no change"),
    ],
)
def test_each_corner_of_the_2x2_has_its_pattern(past: list[bool], new: bool | None, pattern: Pattern) -> None:
    spans = [compared(f"q{at}", "historical", differs) for at, differs in enumerate(past)]
    spans += [] if new is None else [compared("test", "new", new)]
    for order in itertools.permutations(spans):
        assert pattern_of(order) is pattern
        finding = find_feature("income", list(order), Parties("the store"))
        assert (finding.check.status is Status.PASS) == (not any(one.differs for one in spans))
        assert bool(finding.mend) == (finding.check.status is Status.FAIL)


def test_the_sentence_names_spans_relation_and_mend() -> None:
    past = [compared(f"q{at}", "historical", True) for at in range(6)]
    finding = find_feature(
        "income", [*past, compared("test", "new", False)], Parties("the store", old_code="commit 12ab")
    )
    assert "disagree in q0, q1, q2 and 3 more." in finding.check.reason
    assert (
        "normalization change (new = 0.001 × stored − 2.5, which is (stored − 2,500) / 1,000)" in finding.check.reason
    )
    assert finding.mend.endswith("or stay with commit 12ab.")


@pytest.mark.parametrize(
    ("diagnosis", "words"),
    [
        pytest.param(Diagnosis(Kind.UNIT, 1000.0, 0.0), "unit change (×1,000)", id="unit"),
        pytest.param(Diagnosis(Kind.SHIFT, 1.0, 7200.0), "shift by 7,200", id="shift"),
        pytest.param(Diagnosis(Kind.SIGN, -1.0, 0.0), "sign flip (×−1)", id="sign"),
        pytest.param(
            Diagnosis(Kind.NOISE, 1.0, 0.0), "numeric noise around the same values, as from rounding", id="noise"
        ),
        pytest.param(Diagnosis(Kind.MONOTONE, function="log"), "monotone re-encoding (log)", id="log"),
        pytest.param(
            Diagnosis(Kind.RELABELLED, function="many to one", mapping=(("a", "x"), ("b", "x"))),
            "relabelled categories, many to one (a → x, b → x)",
            id="relabelled",
        ),
        pytest.param(
            Diagnosis(Kind.DIFFERENT, rank_correlation=0.123),
            "different meaning: no line, order or map leads from one to the other (rank correlation 0.12)",
            id="different",
        ),
        pytest.param(
            Diagnosis(Kind.CONSTANT, mapping=(("any value", "0"),)),
            "the new code gives 0 for every row that differs",
            id="constant",
        ),
        pytest.param(Diagnosis(Kind.MISSING), "missing-value policy changed, no value did", id="missing"),
        pytest.param(Diagnosis(Kind.UNDECIDED), "too few values differ to tell how", id="undecided"),
        pytest.param(None, "no relation was sought", id="none"),
    ],
)
def test_every_diagnosis_has_its_words(diagnosis: Diagnosis | None, words: str) -> None:
    assert explain(diagnosis) == words


def test_what_fills_gaps_and_what_varies_is_added() -> None:
    told = explain(LINE, differing_constants=(0.001, 0.002), filled="0")
    assert told.endswith("(a from 0.001 to 0.002); missing values became 0")


def test_small_words() -> None:
    assert equation(Diagnosis(Kind.DIFFERENT)) == ""
    assert [percent(count, 10_000) for count in (0, 1, 250, 9_999, 10_000)] == [
        "0%",
        "1 (under 0.1%)",
        "2.5%",
        "9,999 (over 99.9%)",
        "100%",
    ]
    assert [among(list(names)) for names in ("", "a", "ab", "abcd", "abcde")] == [
        "",
        "a",
        "a and b",
        "a, b, c and d",
        "a, b, c and 2 more",
    ]
