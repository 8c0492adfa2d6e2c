"""Golden cases: builds the rows of each, and compares the model's answers with the expected ones."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gauntlet.behavior.perturbation import as_arrow_value
from gauntlet.behavior.subject import Answers, Subject
from gauntlet.behavior.suite import Golden, GoldenExpectation
from gauntlet.data.columns import arrow_type, convert
from gauntlet.data.snapshot import EXAMPLE_ID
from gauntlet.errors import ConfigurationError, DataError
from gauntlet.model_digest import MLMODEL_FILE

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa


@dataclass(frozen=True)
class Answered:
    """Answers of a model to the rows of one golden case.

    Attributes:
        rows: the rows as the model read them.
        names: (n,) name of each row.
        scores: (n,) the score: of the class named, of the positive class, or the prediction; multiclass without a
            class named: the highest probability.
        decisions: (n,) decisions in words; ``None`` for a regression without a threshold.
        wrong: (n,) the expected answer, as a phrase; empty where the answer is correct.
    """

    rows: pa.Table
    names: tuple[str, ...]
    scores: np.ndarray
    decisions: tuple[str, ...] | None
    wrong: tuple[str, ...]


def inline_row(case: Golden, subject: Subject, example: Mapping[str, Any] | None, path: str) -> pa.Table:
    """Build the row of a case that is written in the file.

    Args:
        case: a case with ``row``.
        subject: the model; decides which columns are needed.
        example: the model's input example, if it has one.
        path: of the case in the file.

    Raises:
        ConfigurationError: a column that the model reads is neither given nor filled.
    """
    import pyarrow as pa

    assert case.row is not None
    columns = {}
    for name in subject.inputs:
        if name in case.row:
            value, field = case.row[name], f"{path}.row.{name}"
        else:
            value, field = _filled(name, case, example, f"{path}.row"), f"{path}.fill"
        kind = arrow_type(subject.columns[name])  # type: ignore[arg-type]
        columns[name] = pa.array([as_arrow_value(value, kind, field).as_py()], kind)
    return pa.table(columns)


def bulk_rows(table: pa.Table, needed: Sequence[str], subject: Subject, fill: Mapping[str, Any], path: str) -> pa.Table:
    """Convert bulk rows to a snapshot's types: the columns needed, and ``example_id``.

    Args:
        table: the rows, as read from the file.
        needed: columns of the snapshot that must be there.
        subject: has the types of the columns.
        fill: column → value for those the file lacks.
        path: of the entry in the file.

    Raises:
        DataError: a needed column is missing, or its values are of another type.
    """
    import pyarrow as pa

    columns = {name: table.column(name).combine_chunks() for name in table.column_names}
    for name in needed:
        kind = subject.columns[name]
        if name not in columns and name in fill:
            columns[name] = pa.array([fill[name]] * table.num_rows)
        if name not in columns:
            raise DataError(f"the file lacks the column {name}", field=f"{path}.rows", mend="Write it to the file")
        converted = convert(columns[name], kind)  # type: ignore[arg-type]
        if converted is None:
            raise DataError(
                f"column {name} of the file is {columns[name].type}, not {kind}",
                field=f"{path}.rows",
                mend=f"Write it as {kind}",
            )
        columns[name] = converted
    if EXAMPLE_ID not in columns:
        columns[EXAMPLE_ID] = pa.array([f"row {number}" for number in range(1, table.num_rows + 1)])
    return pa.table(columns)


def compare(case: Golden, rows: pa.Table, answers: Answers, subject: Subject, path: str) -> Answered:
    """Compare a model's answers with the expected ones.

    Args:
        case: the expected answer.
        rows: the rows, with the columns of expected answers.
        answers: the model's answers.
        subject: the model.
        path: of the case in the file.

    Raises:
        ConfigurationError: the model has no such class.
        DataError: a row lacks its expected answer, or it is of the wrong type.
    """
    scores = _scores_of(case.expect, answers, subject, path)
    decisions = (
        None if answers.decisions is None else tuple(subject.describe(int(decision)) for decision in answers.decisions)
    )
    wrong = [
        _wrong_scores(case.expect, scores, rows, path),
        _wrong_classes(case.expect, answers, rows, subject, path),
    ]
    joined = tuple(" and ".join(filter(None, both)) for both in zip(*wrong, strict=True))
    names = rows.column(EXAMPLE_ID).to_pylist() if EXAMPLE_ID in rows.column_names else [case.name]
    return Answered(rows, tuple(map(str, names)), scores, decisions, joined)


def read_example(model: Path) -> Mapping[str, Any] | None:
    """Read the first row of the input example of an MLflow model; ``None`` if there is none."""
    import yaml

    try:
        document = yaml.safe_load((model / MLMODEL_FILE).read_text())
        info = document.get("saved_input_example_info") or {}
        if info.get("type") != "dataframe":
            return None
        example = json.loads((model / str(info["artifact_path"])).read_text())
        return dict(zip(example["columns"], example["data"][0], strict=True))
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, yaml.YAMLError):
        return None


def require_example(example: Mapping[str, Any] | None, path: str) -> Mapping[str, Any]:
    """Return the example, which the case needs.

    Raises:
        ConfigurationError: the model has none.
    """
    if example is None:
        raise ConfigurationError(
            "the model has no input example to fill columns from",
            field=f"{path}.fill",
            mend="Give every column, or log the model with a DataFrame as input example",
        )
    return example


def _filled(name: str, case: Golden, example: Mapping[str, Any] | None, path: str) -> Any:
    if case.fill is None:
        raise ConfigurationError(
            f"the model reads {name}, which is not given",
            field=path,
            mend=f"Give {name} (null if it is missing), or say fill: example to take it from the model's example",
        )
    known = require_example(example, path.removesuffix(".row"))
    if name not in known:
        raise ConfigurationError(
            f"the model's input example has no {name}", field=path, mend=f"Give {name} (null if it is missing)"
        )
    value = known[name]
    return None if isinstance(value, float) and math.isnan(value) else value


def _scores_of(expect: GoldenExpectation, answers: Answers, subject: Subject, path: str) -> np.ndarray:
    import numpy as np

    if subject.target.task != "multiclass":
        return answers.scores
    if expect.score is None:
        return np.asarray(answers.scores.max(axis=1))
    column = subject.score_column(expect.score.of, f"{path}.expect.score")
    return np.asarray(answers.scores[:, column])


def _wrong_scores(expect: GoldenExpectation, scores: np.ndarray, rows: pa.Table, path: str) -> list[str]:
    allowed = expect.score
    if allowed is None:
        return [""] * len(scores)
    wrong = []
    known = _expected(allowed.column, rows, path) if allowed.column is not None else None
    for index, score in enumerate(scores):
        low, high = allowed.min, allowed.max
        if known is not None:
            middle, tolerance = _number(known[index], index, allowed.column, path), allowed.tolerance or 0.0
            low = middle - tolerance if low is None else max(low, middle - tolerance)
            high = middle + tolerance if high is None else min(high, middle + tolerance)
        kept = (low is None or score >= low) and (high is None or score <= high)
        wrong.append("" if kept else _range(low, high))
    return wrong


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"a score of at most {high:.4g}"
    return f"a score of at least {low:.4g}" if high is None else f"a score from {low:.4g} to {high:.4g}"


def _wrong_classes(
    expect: GoldenExpectation, answers: Answers, rows: pa.Table, subject: Subject, path: str
) -> list[str]:
    if expect.class_ is None and expect.class_column is None:
        return [""] * rows.num_rows
    assert answers.decisions is not None
    if expect.class_ is not None:
        expected: Sequence[Any] = [expect.class_] * rows.num_rows
    else:
        expected = _expected(str(expect.class_column), rows, path)
    wrong = []
    for value, decided in zip(expected, answers.decisions, strict=True):
        whole = int(value) if isinstance(value, float) and value.is_integer() else value
        index = subject.class_index(whole, f"{path}.expect")
        wrong.append("" if index == decided else subject.describe(index))
    return wrong


def _expected(column: str, rows: pa.Table, path: str) -> list[Any]:
    if column not in rows.column_names:
        raise DataError(
            f"the file lacks the column {column} of expected answers",
            field=f"{path}.rows",
            mend=f"Its columns are: {', '.join(rows.column_names)}",
        )
    values = rows.column(column).to_pylist()
    if None in values:
        raise DataError(
            f"row {values.index(None) + 1} has no expected answer in {column}",
            field=f"{path}.rows",
            mend="Give every row one",
        )
    return list(values)


def _number(value: Any, index: int, column: str | None, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DataError(
            f"row {index + 1} expects a score that is no number, in {column}",
            field=f"{path}.rows",
            value=value,
            mend="Write numbers",
        )
    return float(value)
