"""The ways to go wrong in files and parameters: what is given, who has to notice, and what must be said."""

from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from engine.conftest import example

ROWS = 1_500
ROW = 700  # the row, counted from 0 and without the header, in which a single value is spoilt
WRONG_USE, BROKEN = 2, 3


@dataclass(frozen=True)
class Case:
    """One way to go wrong.

    Attributes:
        task: the task that has to say so.
        status: exit status of the command.
        says: what its message has to hold: field, value and mend.
        data: makes the data file from its folder and the loans; none: the loans as they are.
        parameters: what replaces parameters of the example.
    """

    task: str
    status: int
    says: tuple[str, ...]
    data: Any = None
    parameters: dict[str, Any] = field(default_factory=dict)


def spoilt(column, value, rows=(ROW,)):
    """The loans as CSV, with a column's value replaced in some rows (``None``: in all)."""

    def make(folder, loans):
        texts = ["" if one is None else str(one) for one in loans[column].to_pylist()]
        changed = [value if rows is None or row in rows else text for row, text in enumerate(texts)]
        position = loans.column_names.index(column)
        return as_csv(folder, loans.set_column(position, column, pa.array(changed, pa.string())))

    return make


def lines(change):
    """The loans as CSV, with its lines changed; the header is the first."""

    def make(folder, loans):
        path = as_csv(folder, loans)
        path.write_text("\n".join(change(path.read_text().splitlines())) + "\n")
        return path

    return make


def bytes_of(change, name="loans.parquet"):
    """The loans as Parquet, with its bytes changed."""

    def make(folder, loans):
        path = folder / name
        pq.write_table(loans, path)
        path.write_bytes(change(path.read_bytes()))
        return path

    return make


def in_latin_1(folder, loans):
    path = spoilt("purpose", "café")(folder, loans)
    path.write_bytes(path.read_text().encode("latin-1"))
    return path


def nested(folder, loans):
    pq.write_table(loans.append_column("history", pa.array([{"loans": 1}] * ROWS)), folder / "nested.parquet")
    return folder / "nested.parquet"


def as_csv(folder, table):
    arrow_csv.write_csv(table, folder / "loans.csv")
    return folder / "loans.csv"


def roles(**changes):
    return {"roles": {**example("loans")["roles"], **changes}}


def uri(value):
    return {"data": [{"uri": value}]}


CONFIGURATION = "check-configuration"
SOURCE = "resolve-source"
IMPORT = "import-snapshot"

CASES = {
    "missing column": Case(
        IMPORT,
        WRONG_USE,
        ("DataError: roles.label: the data have no such column; found 'repaid'.", "Did you mean 'repaid_2'?"),
        lines(lambda text: [text[0].replace('"repaid"', '"repaid_2"'), *text[1:]]),
    ),
    "wrong type": Case(
        IMPORT,
        WRONG_USE,
        (
            f"loans.csv: row {ROW + 1}: column income holds what is not of type float; found 'lots'.",
            "Mend the value, add it to reader.missing_values, or declare another type in reader.types.income.",
        ),
        spoilt("income", "lots"),
        {"reader": {"types": {"income": "float"}}},
    ),
    "empty file": Case(
        IMPORT,
        WRONG_USE,
        ("loans.csv: cannot be read as csv; found ", "Empty CSV file", "The file is empty: check what writes it."),
        lines(lambda text: []),
    ),
    "header alone": Case(
        IMPORT, WRONG_USE, ("loans.csv: has no rows. Check what writes the file",), lines(lambda text: text[:1])
    ),
    "one-class label": Case(
        IMPORT,
        WRONG_USE,
        (
            "label repaid: has the same value in every row",
            "found 1. Import rows of both classes, or check reader.values.",
        ),
        spoilt("repaid", "1", None),
    ),
    "all-missing column": Case(
        IMPORT,
        WRONG_USE,
        ("column income: has no value in any row.", 'Leave it out with reader.drop: ["income"]'),
        spoilt("income", "", None),
    ),
    "duplicate keys": Case(
        IMPORT,
        WRONG_USE,
        (
            "roles.key (application_id): 1 row has a key that an earlier row has: 'A1-00000004' in ",
            f"loans.csv row {ROWS + 1} and ",
            "loans.csv row 5. Name all columns that make a row unique",
            'reader.duplicates: "keep_first".',
        ),
        lines(lambda text: [*text, text[5]]),
    ),
    "NaN labels": Case(
        IMPORT,
        WRONG_USE,
        (
            "label repaid: is missing in some rows; found '2 of 1500 rows'.",
            'leave them out: reader.missing_label: "drop".',
        ),
        spoilt("repaid", "NaN", (3, ROW)),
    ),
    "unknown policy key": Case(
        CONFIGURATION,
        WRONG_USE,
        ("slices_policy.fairnes: unknown key; found 'fairnes'. Did you mean 'fairness'?",),
        parameters={"slices_policy": {"fairnes": {}}},
    ),
    "unknown key deep in a policy": Case(
        CONFIGURATION,
        WRONG_USE,
        ("performance_policy.metrics.auc.mim: unknown key; found 'mim'. Did you mean 'min'?",),
        parameters={"performance_policy": {"metrics": {"auc": {"mim": 0.7}}}},
    ),
    "threshold out of range": Case(
        CONFIGURATION,
        WRONG_USE,
        (
            "performance_policy.threshold: input should be less than 1; found 50",
            "Give more than 0 and less than 1.",
        ),
        parameters={"performance_policy": {"threshold": 50}},
    ),
    "unreadable Parquet": Case(
        IMPORT,
        WRONG_USE,
        (
            "loans.parquet: cannot be read as parquet; found 'Parquet magic bytes not found",
            "write it again, or set reader.format.",
        ),
        bytes_of(lambda content: b"these are not the bytes of a table"),
    ),
    "truncated Parquet": Case(
        IMPORT,
        WRONG_USE,
        ("loans.parquet: cannot be read as parquet; found ", "The file is truncated or damaged", "write it again"),
        bytes_of(lambda content: content[: len(content) // 2]),
    ),
    "Parquet of no bytes": Case(
        IMPORT,
        WRONG_USE,
        ("loans.parquet: cannot be read as parquet; found 'Parquet file size is 0 bytes'.", "write it again"),
        bytes_of(lambda content: b""),
    ),
    "nested Parquet": Case(
        IMPORT,
        WRONG_USE,
        (
            "nested.parquet: column history: nested columns have no place in a snapshot; found 'struct<",
            "Flatten it before importing.",
        ),
        nested,
    ),
    "ragged lines": Case(
        IMPORT,
        WRONG_USE,
        (
            "loans.csv: cannot be read as csv; found ",
            f"Row #{ROW + 1}: Expected 17 columns, got 19",
            "mend that line, or check reader.delimiter.",
        ),
        lines(lambda text: [*text[:ROW], text[ROW] + ",1,2", *text[ROW + 1 :]]),
    ),
    "not UTF-8": Case(
        IMPORT,
        WRONG_USE,
        (
            f"loans.csv: cannot be read as csv: line {ROW + 2} is no UTF-8; as cp1252, it is; found 'café'.",
            'Set reader.encoding: "cp1252", if that is what it should say.',
        ),
        in_latin_1,
    ),
    "mapping lacks a value": Case(
        IMPORT,
        WRONG_USE,
        ("column repaid holds a value that its mapping does not list; found '0'.", "Add it to reader.values.repaid"),
        parameters={"reader": {"values": {"repaid": {"1": 1, "yes": 1}}}},
    ),
    "negative weight": Case(
        IMPORT,
        WRONG_USE,
        (f"row {ROW + 1}: column debt_ratio: weight is negative; found -0.5. Give every row a weight of zero",),
        spoilt("debt_ratio", "-0.5"),
        roles(weight="debt_ratio"),
    ),
    "weight of text": Case(
        IMPORT,
        WRONG_USE,
        ("column sex: weights must be numbers; found 'string'. Correct roles.weight.",),
        parameters=roles(weight="sex"),
    ),
    "the label as key": Case(
        CONFIGURATION,
        WRONG_USE,
        ("roles: label and key name the same column, 'repaid'; give key another", "Correct roles."),
        parameters=roles(key=["repaid"]),
    ),
    "misspelt role": Case(
        CONFIGURATION,
        WRONG_USE,
        ("roles.lable: unknown key; found 'lable'. Did you mean 'label'?",),
        parameters={"roles": {"lable": "repaid"}},
    ),
    "misspelt reader option": Case(
        CONFIGURATION,
        WRONG_USE,
        ("reader.delimeter: unknown key; found 'delimeter'. Did you mean 'delimiter'?",),
        parameters={"reader": {"delimeter": ";"}},
    ),
    "no models to train": Case(
        CONFIGURATION, WRONG_USE, ("n_seeds: must be at least 1; found 0. Give 1 or more.",), parameters={"n_seeds": 0}
    ),
    "unknown XGBoost parameter": Case(
        CONFIGURATION,
        WRONG_USE,
        ("recipe.parameters.max_dept: unknown key; found 'max_dept'. Did you mean 'max_depth'?",),
        parameters={"recipe": {"parameters": {"max_dept": 3}}},
    ),
    "unknown device": Case(
        CONFIGURATION,
        WRONG_USE,
        ("device: no such device; found 'gpu'. Use one of: auto, cuda, cpu.",),
        parameters={"device": "gpu"},
    ),
    "no name for a model": Case(
        CONFIGURATION,
        WRONG_USE,
        ("model_name: is no name for a registered model; found 'a/b'.", "Use 1 to 250 letters"),
        parameters={"model_name": "a/b"},
    ),
    "no such file": Case(
        SOURCE,
        WRONG_USE,
        ("data[0].uri: there is no such file or folder; found '/no/such/loans.csv'.", "correct the path."),
        parameters=uri("/no/such/loans.csv"),
    ),
    "pattern without a match": Case(
        SOURCE,
        WRONG_USE,
        ("data[0].uri: names no file; found '/no/such/*.csv'.",),
        parameters=uri("/no/such/*.csv"),
    ),
    "folder without a file": Case(
        SOURCE, WRONG_USE, ("data[0].uri: names no file; found '",), lambda folder, loans: folder
    ),
    "source that is no mapping": Case(
        SOURCE,
        WRONG_USE,
        ("data[0]: must be a mapping; found 'loans.csv'. Write it with its keys, for example uri: …",),
        parameters={"data": ["loans.csv"]},
    ),
    "misspelt source": Case(
        SOURCE,
        WRONG_USE,
        ("data[0].url: unknown key (1 more like this); found 'url'. Did you mean 'uri'?",),
        parameters={"data": [{"url": "loans.csv"}]},
    ),
    "no source": Case(
        IMPORT,
        WRONG_USE,
        ("data: no file to learn from is named; found []. Name one at least",),
        parameters={"data": []},
    ),
    "slice column that is not there": Case(
        "batch-predict-champion",
        WRONG_USE,
        ("slice_columns: no such column in the snapshot; found 'comunity'. Did you mean 'community'?",),
        parameters={"slice_columns": ["sex", "comunity"]},
    ),
    "split that is not there": Case(
        CONFIGURATION,
        WRONG_USE,
        ("evaluation_split: no such split; found 'tset'. Use one of: train, validation, test",),
        parameters={"evaluation_split": "tset"},
    ),
    "limits that limit nothing": Case(
        CONFIGURATION,
        WRONG_USE,
        (
            "slices_policy.fairness.equal_opportunity.max_gap: limits nothing: true-positive rate lies in 0 to 1, so",
            "values differ by more than 1; found 10. Give less than 1",
            "champion_policy.primary.margin: limits nothing: AUC lies in 0 to 1",
            "features_policy.max_share: input should be less than or equal to 1; found 5. Give 0 to 1",
        ),
        parameters={
            "slices_policy": {"fairness": {"equal_opportunity": {"max_gap": 10}}},
            "champion_policy": {"primary": {"metric": "auc", "margin": 2}},
            "features_policy": {"max_share": 5},
        },
    ),
    "slices of a column that is not sliced by": Case(
        CONFIGURATION,
        WRONG_USE,
        ("slices_policy.columns: is not in slice_columns; found 'purpose'. Add it to slice_columns.",),
        parameters={"slices_policy": {"columns": ["purpose"]}},
    ),
    "metric of another task": Case(
        CONFIGURATION,
        WRONG_USE,
        ("performance_policy.metrics.rmse: is for a regression model, and recipe.task (binary) for a binary one",),
        parameters={"recipe": {"task": "binary"}, "performance_policy": {"metrics": {"rmse": {"max": 1}}}},
    ),
}
