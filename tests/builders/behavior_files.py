"""Behavior files made by hypothesis: good ones of every shape, and good ones with one fault."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

_COLUMNS = st.sampled_from(["income", "late", "region", "debt ratio", "é"])
_SMALL = st.floats(0, 1, allow_nan=False) | st.integers(0, 1)
_VALUES = st.none() | st.booleans() | st.integers(-99, 99) | st.floats(-99, 99) | st.text("abc ", max_size=5)
_DIGEST = st.text("0123456789abcdef", min_size=64, max_size=64)
_BULK = st.fixed_dictionaries({"uri": st.just("rows.parquet"), "sha256": _DIGEST})


def _mapping(required: dict[str, Any], optional: dict[str, Any] | None = None) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(required, optional=optional or {})


_CHANGES = st.one_of(
    _mapping({"set": _mapping({"column": _COLUMNS, "to": _VALUES})}),
    _mapping({"swap": st.sampled_from([{"columns": ["income", "late"]}, {"column": "region"}])}),
    _mapping({"add": _mapping({"column": _COLUMNS, "by": st.floats(0.1, 9)}, {"max": st.integers(1, 9)})}),
    _mapping({"scale": _mapping({"column": _COLUMNS, "by": st.floats(1.1, 9)}, {"min": st.integers(1, 9)})}),
    _mapping({"noise": _mapping({"column": _COLUMNS, "sd": st.floats(0.1, 9)})}),
    _mapping({"noise": _mapping({"column": _COLUMNS, "share": st.floats(0.1, 0.9)})}),
    _mapping({"shuffle": _mapping({"columns": st.just(["income"])}, {"within": st.just(["region", "late"])})}),
    _mapping({"case": _mapping({"column": _COLUMNS, "to": st.sampled_from(["upper", "lower", "title", "swap"])})}),
    _mapping({"whitespace": _mapping({"column": _COLUMNS}, {"add": st.sampled_from(["leading", "doubled"])})}),
    _mapping({"typo": _mapping({"column": _COLUMNS}, {"slips": st.integers(1, 10)})}),
)
_SCORES = st.one_of(
    _mapping({"min": st.floats(0, 0.4)}, {"max": st.floats(0.5, 1), "of": st.just("gold")}),
    _mapping({"max": _SMALL}),
)
_GOLDEN = st.one_of(
    _mapping(
        {
            "row": st.dictionaries(_COLUMNS, _VALUES, min_size=1),
            "expect": _mapping(
                {"class": st.text("xy", min_size=1) | st.integers(0, 3) | st.booleans()}, {"score": _SCORES}
            ),
        },
        {"fill": st.just("example"), "why": st.text("abc ", max_size=9)},
    ),
    _mapping(
        {
            "rows": _BULK,
            "expect": _mapping(
                {"class_column": st.just("answer")},
                {"score": _mapping({"column": st.just("score"), "tolerance": _SMALL})},
            ),
        }
    ),
)
_RULE = {"change": st.lists(_CHANGES, min_size=1, max_size=3)}
_MORE = {"where": st.just("income > 3"), "rows": _BULK, "max_failures": st.floats(0.001, 0.5), "why": st.just("so")}
_INVARIANCE = _mapping({**_RULE, "expect": _mapping({"max_change": _SMALL}, {"same_decision": st.booleans()})}, _MORE)
_DIRECTIONAL = _mapping(
    {
        **_RULE,
        "expect": st.one_of(
            _mapping({"score": st.sampled_from(["increases"])}, {"by": _SMALL}),
            _mapping({"score": st.sampled_from(["not_decreases"])}, {"tolerance": _SMALL, "of": st.just("gold")}),
        ),
    },
    _MORE,
)


@st.composite
def good_suites(draw: st.DrawFn) -> dict[str, Any]:
    """A file with no fault: names differ, and no two rules are about the same change."""
    document: dict[str, Any] = {
        "golden": draw(st.lists(_GOLDEN, max_size=2)),
        "invariance": draw(st.lists(_INVARIANCE, max_size=2)),
        "directional": draw(st.lists(_DIRECTIONAL, max_size=2)),
    }
    if not any(document.values()):
        document["golden"] = [draw(_GOLDEN)]
    for number, one in enumerate(one for key in document for one in document[key]):
        one["name"] = f"number {number}"
        if "change" in one:
            one["where"] = f"income > {number}"
        if "row" in one:
            one["row"]["number"] = number
    return {key: value for key, value in document.items() if value}


def mutated(document: dict[str, Any], data: st.DataObject) -> tuple[dict[str, Any], str]:
    """The file with one fault, and the fault in words."""
    section = data.draw(st.sampled_from(sorted(document)))
    one = data.draw(st.sampled_from(document[section]))
    faults = {
        "an unknown key": lambda: one.update(nmae=1),
        "an unknown section": lambda: document.update(gold=[]),
        "no name": lambda: one.pop("name"),
        "an empty name": lambda: one.update(name=""),
        "a name that is a number": lambda: one.update(name=7),
        "nothing expected": lambda: one.update(expect={}),
        "no expectation": lambda: one.pop("expect"),
        "an expectation that is a list": lambda: one.update(expect=[1]),
        "an unknown expectation": lambda: one["expect"].update(probability=1),
        "a section that is text": lambda: document.update({section: "all of them"}),
        "the same name twice": lambda: document[section].append({**one}),
    }
    if "change" in one:
        first = one["change"][0]
        faults |= {
            "no change": lambda: one.update(change=[]),
            "a change that is unknown": lambda: one["change"].append({"multiply": {"column": "income"}}),
            "a change without its key": lambda: one["change"].append({"column": "income"}),
            "an unknown key in a change": lambda: next(iter(first.values())).update(colum="income"),
            "two changes in one": lambda: one["change"].append(
                {"add": {"column": "a", "by": 1}, "typo": {"column": "a"}}
            ),
            "a rate that is text": lambda: one.update(max_failures="1%"),
            "a rate of one": lambda: one.update(max_failures=1),
            "a where that is a number": lambda: one.update(where=3),
        }
    else:
        faults |= {
            "row and rows": lambda: one.update(row={"a": 1}, rows={"uri": "a", "sha256": "0" * 64}),
            "a fill that is unknown": lambda: one.update(fill="median"),
        }
    fault = data.draw(st.sampled_from(sorted(faults)))
    faults[fault]()
    return document, fault
