"""The pages about data, from views filled by hand: they need no TFDV."""

from __future__ import annotations

from collections.abc import Callable

from gauntlet.reports.page import render
from gauntlet.reports.plots import ForestRow
from gauntlet.reports.views.absent import AbsentView
from gauntlet.reports.views.columns import Drawing
from gauntlet.reports.views.integrity import IntegrityView, LeakageView, RateView
from gauntlet.reports.views.remarks import Kind, Remark
from gauntlet.reports.views.schema import Rule, SchemaView
from gauntlet.reports.views.skew import MovedColumn, SkewView
from gauntlet.reports.views.statistics import ColumnView, SplitCell, StatisticsView
from gauntlet.verdict import Check, Status, Verdict

Page = tuple[str, list[str]]

_NAMES = ("training", "serving")
_AGES = Drawing([17.0 + 5 * i for i in range(9)], (), [5, 9, 12, 14, 12, 8, 4, 1], [4, 9, 12, 15, 12, 8, 4, 1], _NAMES)
_CATEGORIES = Drawing(
    (),
    ("Private", "Self-emp-not-inc", "a category with a name that is far too long to stand beside a bar", "?", "Robot"),
    [0.7, 0.1, 0.1, 0.1, 0.0],
    [0.5, 0.1, 0.1, 0.1, 0.2],
    _NAMES,
    "2 categories that occur once are left out.",
)
_LONG = "months_since_the_last_missed_payment_of_any_kind_anywhere"


def _statistics() -> Page:
    columns = [
        ColumnView(
            name,
            kind,
            "feature",
            0.057,
            "8 distinct, most often Private",
            Remark(Kind.NEW, "has 1 of its values in test and not in train") if name == _LONG else None,
            (SplitCell("train", 26043, 0.057, "8 distinct, most often Private"),),
            tuple(drawing.before),
            (drawing,),
        )
        for name, kind, drawing in (
            ("age", "int", _AGES),
            ("workclass", "string", _CATEGORIES),
            (_LONG, "string", _CATEGORIES),
        )
    ]
    view = StatisticsView("sha256:" + "a" * 64, (("train", 26043), ("test", 6518)), tuple(columns))
    return render("statistics.html.j2", title="What is in the data", view=view), ["26,043", "workclass"]


def _skew() -> Page:
    check = Check(
        "serving: workclass, unseen categories",
        Status.FAIL,
        "`workclass` has 'Robot' in 21.0% of values (serving), never seen in training; allowed: 1.0%.",
        *(0.21, (0.201, 0.22), 0.01, "max", 15494),
        code="detect_skew.serving.unseen_categories",
        subject="workclass",
    )
    columns = [
        MovedColumn("workclass", "serving", Status.FAIL, (check.reason,), (("training", "8 distinct"),), _CATEGORIES),
        MovedColumn(
            _LONG, "serving", Status.ERROR, (f"`{_LONG}` is not in serving.",), (("serving", "not there"),), None
        ),
        MovedColumn("age", "serving", Status.PASS, ("`age` did not move.",), (("training", "median 37"),), _AGES),
    ]
    movement = (
        ForestRow("workclass (serving)", 21.0, 20.1, 22.0, 15494, "fail"),
        ForestRow(f"{_LONG} (serving)", 0.4, 0.1, 0.9, 15494, "pass"),
    )
    view = SkewView(tuple(columns), (("id", "it is the key"),), movement, 3)
    verdict = Verdict("detect_skew", (check,), check.reason)
    return render("skew.html.j2", title="Skew", view=view, verdict=verdict), [
        "What moved most",
        "3 more comparisons moved less",
        "Not compared",
    ]


def _schema() -> Page:
    rules = (
        Rule("age", "int", "0 to 127", "never", "yes"),
        Rule(_LONG, "string", ", ".join(f"'category {i}'" for i in range(12)), "up to 11.5%", "no"),
    )
    view = SchemaView("inferred from split train", False, rules, 'feature {\n  name: "age"\n}\n' * 20)
    return render("schema.html.j2", title="What the data should be", view=view), ["0 to 127", "up to 11.5%"]


def _validation() -> Page:
    rules = (Rule("age", "int", "0 to 127", "never", "yes"),)
    view = SchemaView("curated file schema.pbtxt", True, rules, 'feature {\n  name: "age"\n}\n')
    reason = "In serving, `age` goes down to −90, below the allowed minimum of 0. Repair the source."
    code, subject = "validate_schema.out_of_range", "age"
    numbers = (-90.0, None, 0.0, "min", 16281)
    check = Check("serving: age, out of range", Status.FAIL, reason, *numbers, code=code, subject=subject)
    verdict = Verdict("validate_schema", (check,), reason)
    html = render("validation.html.j2", title="Are the data what they should be?", view=view, verdict=verdict)
    return html, ["goes down to −90", "What the schema asks"]


def _absent() -> Page:
    return render("absent.html.j2", title="Statistics", view=AbsentView("there is no serving log")), ["no serving log"]


def _integrity() -> Page:
    checks = (
        Check(
            "key: id",
            Status.PASS,
            "`id` names each of 15,002 rows: no value is missing.",
            *(0.0, None, 0.0, "max", 15002),
            code="check_integrity.key",
            subject="id",
        ),
        Check(
            "reference: customer in customers",
            Status.FAIL,
            "12 of 15,002 rows (0.08%) have a `customer` that is not in `customers`: `C-17 (9 rows)` and others.",
            *(0.0008, None, 0.0, "max", 15002),
            code="check_integrity.reference",
            subject="customer",
        ),
        Check(
            f"leakage: {_LONG}",
            Status.FAIL,
            "It predicts the label.",
            *(0.998, (0.99, 1.0), 0.97, "max", 15002),
            code="check_integrity.leakage",
            subject=_LONG,
        ),
        Check(
            "label rate: 2024-03",
            Status.INCONCLUSIVE,
            "Cannot tell.",
            *(0.04, (0.01, 0.07), 0.05, "max", 400, 900),
            code="check_integrity.label_rate",
            subject="2024-03",
        ),
    )
    leaks = (
        ForestRow(_LONG, 0.998, 0.99, 1.0, 15002, "fail"),
        ForestRow("income", 0.64, 0.628, 0.652, 15002, "pass"),
        ForestRow("history_years, filled in", 0.504, 0.498, 0.511, 15002, "pass"),
    )
    months = [f"2024-{month:02d}" for month in range(1, 13)]
    rate = RateView(
        "repaid is 1",
        "points",
        tuple(ForestRow(name, i - 5.0, i - 8.0, i - 2.0, 400, "inconclusive") for i, name in enumerate(months)),
        18,
        5.0,
        tuple((name, "400", "64.1%", "64.4%") for name in months),
    )
    view = IntegrityView(
        tiles=(("Rows", "15,002", ""), ("Strongest single column", "0.998", _LONG)),
        structure=checks[:2],
        leakage=LeakageView("AUC", leaks, 2, 0.97, 0.5, ("reference_number",)),
        leakage_checks=checks[2:3],
        rates=(rate,),
        rate_checks=checks[3:],
        small=(("2025-01", "12"),),
        left_out=(("label rate", "the snapshot has no label"),),
    )
    verdict = Verdict("check_integrity", checks, checks[1].reason)
    html = render("integrity.html.j2", title="Is the table sound?", view=view, verdict=verdict)
    return html, ["C-17", "What each column says about the label", "repaid is 1", "reference_number", "2025-01"]


DATA_PAGES: dict[str, Callable[[], Page]] = {
    "absent": _absent,
    "integrity": _integrity,
    "schema": _schema,
    "skew": _skew,
    "statistics": _statistics,
    "validation": _validation,
}
