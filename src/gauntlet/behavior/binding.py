"""Validates a behavior file against the model and the data: columns, types and classes, before rows are read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping

from gauntlet.behavior.changes import Add, Change, Noise, Scale, SetTo, Step, Swap
from gauntlet.behavior.perturbation import as_arrow_value
from gauntlet.behavior.subject import Subject
from gauntlet.behavior.suite import Directional, Golden, Invariance, ScoreExpectation, Suite
from gauntlet.data.columns import arrow_type
from gauntlet.data.derive import Expression
from gauntlet.data.snapshot import EXAMPLE_ID
from gauntlet.errors import ConfigurationError


def require_bound(suite: Suite, subject: Subject) -> None:
    """Check that all columns and classes of a suite exist and have the right type.

    Raises:
        ConfigurationError: by its path in the file: no such column or class, a change that the column's type does not
            allow or that the model cannot notice, an expectation that the model has no answer for.
    """
    for path, case in suite.cases:
        _require_case(path, case, subject)
    for path, rule in suite.rules:
        _require_rule(path, rule, subject)


def filter_of(rule: Invariance | Directional, path: str, columns: Mapping[str, str]) -> Expression | None:
    """Parse the ``where`` of a rule, and check it on an empty table.

    Raises:
        ConfigurationError: it does not parse, names an unknown column, or is no condition.
    """
    import pyarrow as pa

    if rule.where is None:
        return None
    expression = Expression(rule.where, f"{path}.where")
    none = {name: pa.array([], arrow_type(kind)) for name, kind in columns.items()}  # type: ignore[arg-type]
    if expression.evaluate(none, 0).type != pa.bool_():
        raise ConfigurationError(
            "is a number or text, not a condition", field=f"{path}.where", value=rule.where, mend="Compare it: x > 0"
        )
    return expression


def _require_case(path: str, case: Golden, subject: Subject) -> None:
    expect = f"{path}.expect"
    if case.row is not None:
        known = dict.fromkeys([*subject.inputs, *subject.columns])
        for name, value in case.row.items():
            _require_column(name, known, f"{path}.row.{name}", value=False)
            as_arrow_value(value, arrow_type(subject.columns[name]), f"{path}.row.{name}")  # type: ignore[arg-type]
    if case.expect.class_ is not None:
        subject.class_index(case.expect.class_, f"{expect}.class")
    if case.expect.class_column is not None and subject.target.task == "regression":
        raise ConfigurationError(
            "the model predicts a number, not a class", field=f"{expect}.class_column", mend="Expect a score"
        )
    if case.expect.score is not None:
        subject.score_column(case.expect.score.of, f"{expect}.score")
        if subject.target.task != "regression":
            _require_probability(case.expect.score, f"{expect}.score")


def _require_rule(path: str, rule: Invariance | Directional, subject: Subject) -> None:
    for index, change in enumerate(rule.change):
        _require_change(f"{path}.change.{index}.{change.kind}", change, subject)
    filter_of(rule, path, subject.columns)
    unread = [name for name in rule.changed if name not in subject.inputs]
    if unread:
        at = next(i for i, change in enumerate(rule.change) if set(change.step.changed) & set(unread))
        raise ConfigurationError(
            f"the model does not read {unread[0]}, so the rule would hold whatever the model does",
            field=f"{path}.change.{at}.{rule.change[at].kind}",
            value=unread[0],
            mend=f"Change a column that it reads: {', '.join(subject.inputs)}",
        )
    if isinstance(rule, Directional):
        subject.score_column(rule.expect.of, f"{path}.expect")
    if subject.target.task != "regression":
        _require_noticeable(rule, f"{path}.expect")
    elif isinstance(rule, Invariance) and rule.expect.same_decision and subject.threshold is None:
        raise ConfigurationError(
            "a regression decides nothing unless a threshold says so",
            field=f"{path}.expect.same_decision",
            mend="Set the policy's threshold, or expect max_change",
        )


def _require_probability(score: ScoreExpectation, path: str) -> None:
    """Check that an expected score is one that a probability can have, and one that it can miss."""
    for key, end in (("min", score.min), ("max", score.max)):
        if end is not None and not 0 <= end <= 1:
            raise ConfigurationError(
                "the score is a probability, between 0 and 1",
                field=f"{path}.{key}",
                value=end,
                mend="Give a value within it: 0.8 for 80 %",
            )
    if score.column is None and (score.min or 0) == 0 and (score.max is None or score.max == 1):
        raise ConfigurationError(
            "limits nothing: every probability lies between 0 and 1",
            field=path,
            mend="Give a min above 0 or a max below 1",
        )
    _require_move(score.tolerance, f"{path}.tolerance")


def _require_noticeable(rule: Invariance | Directional, path: str) -> None:
    """Check that a probability can move by as much as a rule names."""
    if isinstance(rule, Invariance):
        _require_move(rule.expect.max_change, f"{path}.max_change")
        return
    _require_move(rule.expect.tolerance, f"{path}.tolerance")
    if rule.expect.by is not None and rule.expect.by >= 1:
        raise ConfigurationError(
            "no model can keep this: the score is a probability, which never moves by more than 1",
            field=f"{path}.by",
            value=rule.expect.by,
            mend="Give less than 1",
        )


def _require_move(most: float | None, field: str) -> None:
    if most is not None and most >= 1:
        raise ConfigurationError(
            "limits nothing: the score is a probability, which never moves by more than 1",
            field=field,
            value=most,
            mend="Give less than 1: 0.05 for five points",
        )


def _require_change(path: str, change: Change, subject: Subject) -> None:
    step = change.step
    for name in (*step.changed, *step.read):
        _require_column(name, subject.columns, path, value=True)
    for name in step.changed:
        _require_type(path, change.kind, step, name, subject.columns[name])
    match step:
        case SetTo(column=name, to=value):
            as_arrow_value(value, arrow_type(subject.columns[name]), f"{path}.to")  # type: ignore[arg-type]
        case Swap(columns=(first, second)) if subject.columns[first] != subject.columns[second]:
            raise ConfigurationError(
                f"{first} is {subject.columns[first]}, {second} is {subject.columns[second]}",
                field=f"{path}.columns",
                mend="Swap columns of one type",
            )
        case Add() | Scale() | Noise() if subject.columns[step.column] == "int":
            _require_whole(path, step)


def _require_type(path: str, kind: str, step: Step, name: str, column_type: str) -> None:
    if step.works_on == "number" and column_type not in ("int", "float"):
        raise ConfigurationError(
            f"{kind} changes numbers, and {name} is {column_type}", field=path, value=name, mend="Name a number column"
        )
    if step.works_on == "text" and column_type != "string":
        raise ConfigurationError(
            f"{kind} changes text, and {name} is {column_type}", field=path, value=name, mend="Name a text column"
        )


def _require_whole(path: str, step: Add | Scale | Noise) -> None:
    """Check that an integer column changes by integers, so that rounding does not matter."""
    named = {"min": step.min, "max": step.max} | ({"by": step.by} if isinstance(step, Add) else {})
    for key, value in named.items():
        if value is not None and (value != int(value) or abs(value) >= 2**63):
            raise ConfigurationError(
                f"{step.column} holds whole numbers", field=f"{path}.{key}", value=value, mend="Give a whole number"
            )


def _require_column(name: str, known: Iterable[str], field: str, *, value: bool) -> None:
    names = [column for column in known if column != EXAMPLE_ID]
    if name in names:
        return
    close = difflib.get_close_matches(name, names, n=1)
    raise ConfigurationError(
        "no such column",
        field=field,
        value=name if value else None,
        mend=f"Did you mean {close[0]!r}?" if close else f"The columns are: {', '.join(names)}",
    )
