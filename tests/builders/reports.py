"""Views as real runs fill them, and a reader of drawings."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from datetime import UTC, datetime
from html.parser import HTMLParser

from builders.verdicts import check
from gauntlet.reports.views.run import Link, Outcome, RunView, TaskStatus, TaskView
from gauntlet.verdict import Status, Verdict

HOSTILE = "<script>alert('x')</script> & \"more\""

_SVG = "{http://www.w3.org/2000/svg}"
_NOT_A_NUMBER = re.compile(r"(?<![a-z])(nan|inf|infinity|none)(?![a-z])", re.IGNORECASE)


def parsed(drawing: str) -> ElementTree.Element:
    """A drawing as a tree; fails unless it is well-formed, named, and free of numbers that are none."""
    root = ElementTree.fromstring(drawing)
    assert root.tag == f"{_SVG}svg"
    assert root.get("role") == "img"
    assert root.find(f"{_SVG}title") is not None
    for node in root.iter():
        for name, value in node.attrib.items():
            if name not in {"class", "aria-label", "href"}:
                assert not _NOT_A_NUMBER.search(value), f"{name}={value!r}"
    return root


def words(drawing: str) -> list[str]:
    """What a reader can read in a drawing, without tips."""
    return [node.text or "".join(t.tail or "" for t in node) for node in parsed(drawing).iter(f"{_SVG}text")]


def tips(drawing: str) -> list[str]:
    """What is shown on pointing."""
    root = parsed(drawing)
    return [node.text or "" for node in root.iter(f"{_SVG}title")][1:]


def shapes(drawing: str, tag: str, class_: str = "") -> list[ElementTree.Element]:
    """The elements of a kind, by a word of their class."""
    return [
        node for node in parsed(drawing).iter(f"{_SVG}{tag}") if not class_ or class_ in node.get("class", "").split()
    ]


def verdict(extra_passes: int = 0) -> Verdict:
    """A gate that found one of everything."""
    checks = (
        check("auc", Status.PASS, "AUC 0.926 is at least 0.85.", 0.9263, (0.9212, 0.9314), 0.85, "min", 16281),
        check(
            "log_loss",
            Status.FAIL,
            "Log loss is 0.314; at most 0.3 is allowed.",
            0.314,
            (0.304, 0.324),
            0.3,
            "max",
            16281,
        ),
        check("ece", Status.INCONCLUSIVE, "Too few rows.", 0.02, (0.01, 0.03), 0.015, "max", 16281, 60000),
        check(HOSTILE, Status.ERROR, "The column has no values.", None, None, 0.2, "max"),
    )
    more = tuple(
        check(f"slice {i}", Status.PASS, "Fine.", 0.01, (0.0, 0.02), 0.1, "max", 500) for i in range(extra_passes)
    )
    return Verdict(
        "evaluate_performance", checks + more, "One of four checks passed.", {"confidence": 0.95, "rows": 16281}
    )


def run(outcome: Outcome = Outcome.STOPPED) -> RunView:
    """A run of nine tasks that a gate stopped, or that broke, or that passed."""
    end = {Outcome.PASSED: TaskStatus.SUCCEEDED}.get(outcome, TaskStatus.FAILED)
    tasks = (
        _task("resolve-source", "data", "resolving", seconds=0.4),
        _task("import-snapshot", "data", status=TaskStatus.REUSED, artifacts=(Link("snapshot", "a/snapshot"),)),
        _task("compute-statistics", "data", seconds=11.2, report="r/statistics.html"),
        _task("infer-schema", "data", seconds=9.8, report="r/schema.html"),
        _task("train-model", "model", seconds=184.2, report="r/train.html"),
        _task("batch-predict", "model", seconds=6.1),
        _task(
            "evaluate-slices",
            "evaluation",
            seconds=2.4,
            report="r/slices.html",
            verdict=Status.FAIL,
            summary="Women are approved 18.2 points less often than men.",
        ),
        _task(
            "enforce-gates", "evaluation", status=end, seconds=0.7, error="" if end != "failed" else "The gate: stop"
        ),
        _task("register-model", "delivery", "acting", status=TaskStatus.SKIPPED, seconds=None),
    )
    edges = (
        ("resolve-source", "import-snapshot"),
        ("import-snapshot", "compute-statistics"),
        ("compute-statistics", "infer-schema"),
        ("infer-schema", "train-model"),
        ("import-snapshot", "train-model"),
        ("train-model", "batch-predict"),
        ("import-snapshot", "batch-predict"),
        ("batch-predict", "evaluate-slices"),
        ("evaluate-slices", "enforce-gates"),
        ("enforce-gates", "register-model"),
    )
    started = datetime(2026, 3, 1, 14, 5, 9, tzinfo=UTC)
    message = "" if outcome is Outcome.PASSED else "Women are approved 18.2 points less often than men."
    results = (("Registered", "adult version 2, challenger; the champion is version 1"),)
    return RunView(
        "adult-span-2",
        "continuous_training",
        started,
        271.4,
        outcome,
        tasks,
        edges,
        message,
        {"n_seeds": "3"},
        results if outcome is Outcome.PASSED else (),
    )


def _task(
    name: str,
    image: str,
    caching: str = "pure",
    *,
    status: TaskStatus = TaskStatus.SUCCEEDED,
    seconds: float | None = 1.0,
    **more: object,
) -> TaskView:
    component = name.replace("-", "_")
    return TaskView(name, component, image, caching, status, seconds, log=f"logs/{name}.log", **more)


class _Reader(HTMLParser):
    """Collects the text of a page, and of every cell of its tables."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.rows: list[list[list[str]]] = []
        self._cell: list[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self._cell = []
            self.rows[-1].append(self._cell)

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._cell = None

    def handle_data(self, data: str) -> None:
        self.words += data.split()
        if self._cell is not None:
            self._cell += data.split()


def _read(page: str) -> _Reader:
    reader = _Reader()
    reader.feed(page[max(0, page.find("<body")) :])
    return reader


def text(page: str) -> str:
    """What a page says, drawings included, with single spaces."""
    return " ".join(_read(page).words)


def rows(page: str) -> list[list[str]]:
    """Every row of a page's tables, as the text of its cells."""
    return [[" ".join(cell) for cell in row] for row in _read(page).rows]
