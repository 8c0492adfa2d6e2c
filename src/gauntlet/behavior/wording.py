"""Sentences about rules and cases, for readers who do not know YAML."""

from __future__ import annotations

from gauntlet.behavior.changes import (
    Add,
    Case,
    Change,
    Noise,
    Scale,
    SetTo,
    Shuffle,
    Swap,
    Typo,
    Value,
    Whitespace,
)
from gauntlet.behavior.suite import Directional, Golden, Invariance, Stability

_CASES = {
    "upper": "in capitals",
    "lower": "in small letters",
    "title": "in title case",
    "swap": "with its case swapped",
}
_SPACES = {
    "leading": "a space before",
    "trailing": "a space after",
    "around": "spaces around",
    "doubled": "doubled spaces in",
}
_MOVES = {
    "increases": "must raise the score",
    "decreases": "must lower the score",
    "not_increases": "must not raise the score",
    "not_decreases": "must not lower the score",
}


def change_in_words(change: Change) -> str:
    """Describe a change: ``late_payments + 1 (at most 12)``."""
    match change.step:
        case SetTo(column=name, to=value):
            return f"{name} set to {value_in_words(value)}"
        case Swap(columns=(first, second)):
            return f"{first} and {second} exchanged"
        case Swap(column=name):
            return f"{name} exchanged between rows"
        case Add(column=name, by=by) as step:
            return f"{name} {'+' if by > 0 else '−'} {abs(by):g}{_range(step)}"
        case Scale(column=name, by=by) as step:
            return f"{name} × {by:g}{_range(step)}"
        case Noise(column=name, sd=sd, share=share) as step:
            size = f"standard deviation {sd:g}" if sd is not None else f"{100 * (share or 0):g}% of the value"
            return f"noise on {name} ({size}){_range(step)}"
        case Shuffle(columns=names, within=within):
            return f"{_listed(names)} shuffled" + (f" within {_listed(within)}" if within else "")
        case Case(column=name, to=to):
            return f"{name} {_CASES[to]}"
        case Whitespace(column=name, add=where):
            return f"{_SPACES[where]} {name}"
        case Typo(column=name, slips=slips):
            return f"{slips} {'slip' if slips == 1 else 'slips'} of the keyboard in {name}"
    raise AssertionError(change)


def rule_in_words(rule: Invariance | Directional) -> str:
    """As text: ``late_payments + 1 must not raise the score by more than 0.02; rows where purpose == "car"``."""
    what = ", then ".join(change_in_words(change) for change in rule.change)
    where = f"; rows where {rule.where}" if rule.where else ""
    return f"{what} {_expectation(rule)}{where}"


def case_in_words(case: Golden) -> str:
    """Describe the expectation of a golden case: ``class 1, score at least 0.8``."""
    parts, expect = [], case.expect
    if expect.class_ is not None:
        parts.append(f"class {str(expect.class_).lower() if isinstance(expect.class_, bool) else expect.class_}")
    if expect.class_column is not None:
        parts.append(f"the class in {expect.class_column}")
    if expect.score is not None:
        expected = expect.score
        name = f"score of {expected.of}" if expected.of else "score"
        ends = [f"at least {expected.min:g}" if expected.min is not None else ""]
        ends.append(f"at most {expected.max:g}" if expected.max is not None else "")
        ends.append(f"within {expected.tolerance:g} of {expected.column}" if expected.column is not None else "")
        parts.append(f"{name} {' and '.join(filter(None, ends))}")
    return ", ".join(parts)


def value_in_words(value: Value) -> str:
    """Format a value: text in quotes, few digits, ``missing`` for null."""
    if value is None:
        return "missing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.7g}"
    return f"“{value}”" if isinstance(value, str) else str(value)


def _expectation(rule: Invariance | Directional) -> str:
    expect = rule.expect
    if isinstance(expect, Stability):
        parts = [f"move the score by more than {expect.max_change:g}"] if expect.max_change is not None else []
        parts += ["turn the decision"] if expect.same_decision else []
        return f"must not {' or '.join(parts)}"
    size = expect.by or expect.tolerance
    words = _MOVES[expect.score] + (f" of {expect.of}" if expect.of else "")
    return words + (f" by more than {size:g}" if size else "")


def _range(step: Add | Scale | Noise) -> str:
    ends = [
        f"at least {step.min:g}" if step.min is not None else "",
        f"at most {step.max:g}" if step.max is not None else "",
    ]
    return f" ({', '.join(filter(None, ends))})" if any(ends) else ""


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
