"""Every report there is, filled with realistic data: (the page, words a reader must find in it)."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace

from builders.behavior_pages import behavior_page
from builders.data_pages import DATA_PAGES
from builders.delivery_pages import DELIVERY_PAGES
from builders.feature_pages import FEATURE_PAGES
from builders.gate_pages import GATE_PAGES
from builders.model_pages import MODEL_PAGES
from builders.reports import run, verdict
from builders.serving_pages import serving_page
from builders.verdicts import verdict as verdict_of
from gauntlet.registry.enforcement import EnforcementPolicy, decide_stage
from gauntlet.reports import plots
from gauntlet.reports.page import _environment, render, verdict_page
from gauntlet.reports.views.gate_summary import gate_summary_page
from gauntlet.reports.views.run import Outcome
from gauntlet.verdict import Status

Page = tuple[str, list[str]]

_GALLERY = """
{% extends "page.html.j2" %}{% import "kit.html.j2" as kit %}{% block content %}
<p>Loss so far {{ plots.sparkline(view.series) }}</p>
{{ kit.tiles([("Rows", 32561 | count), ("AUC", 0.926, "0.921 to 0.931")]) }}
{{ plots.forest(view.slices, bound=0.1, direction="max", unit="%") }}
{{ plots.forest(view.ratios, bound=0.8, direction="min", log=True) }}
<div class="columns">
{{ kit.figure(plots.histogram_pair(view.edges, view.first, view.second, names=("training", "serving")), "age") }}
{{ kit.figure(plots.histogram_pair(view.quantiles, view.first[:8])) }}
{{ kit.figure(plots.bars(view.categories, view.first[:8], view.second[:8], names=("training", "serving"))) }}
{{ kit.figure(plots.curve(view.roc, x="false positive rate", y="true positive rate", diagonal=True)) }}
{{ kit.figure(plots.calibration(view.calibration)) }}
</div>
{{ kit.table(["column", "missing"], [["a_name_" * 30, "12.3%"]], numbers=[1]) }}
{% endblock %}
"""


def _run(outcome: Outcome) -> Page:
    view = run(outcome)
    return render("run.html.j2", title=view.name, subtitle=view.pipeline, view=view), [view.headline, "train-model"]


def _verdict(extra_passes: int) -> Page:
    found = verdict(extra_passes)
    html = verdict_page(found, title="Model quality")
    return html, [found.summary, "log_loss", "≥ 0.85"]


def _gate_summary() -> Page:
    """A stage with a gate that stops it, one that warns and one that has nothing to say."""
    stops = verdict(extra_passes=30)
    verdicts = [
        verdict_of("detect_skew", Status.INCONCLUSIVE, summary="training against serving: income may have moved"),
        stops,
        verdict_of("check_behavior", Status.PASS, summary="all ten cases and rules hold"),
    ]
    page = gate_summary_page(decide_stage("before registering", verdicts, EnforcementPolicy()), verdicts)
    return page, ["stopped by evaluate_performance", stops.summary, "detect_skew"]


def _gallery() -> Page:
    """Every drawing once, with long names and values far out."""
    draw = random.Random(3)
    slices = [_slice(draw, i) for i in range(100)]
    slices += [plots.ForestRow("far out", 3.0, 1.0, 9.0, 12, "fail"), plots.ForestRow("none", None)]
    view = SimpleNamespace(
        series=[draw.random() for _ in range(50)],
        slices=slices,
        ratios=[plots.ForestRow(f"race={name}", 0.9, 0.7, 1.1, 1000, "inconclusive") for name in ("White", "Black")],
        edges=[17 + 5 * i for i in range(15)],
        first=[draw.randint(100, 900) for _ in range(14)],
        second=[draw.randint(100, 900) for _ in range(14)],
        quantiles=[-math.inf, 0, 1.25, 2.5, 17, 40, 90, 400, 123456789.0],
        categories=[
            "Married-civ-spouse",
            "Self-emp-not-inc",
            "?",
            *("a very long category name " * 3 + str(i) for i in range(5)),
        ],
        roc=[plots.Series("challenger, AUC 0.93", *_power(0.15)), plots.Series("champion, AUC 0.90", *_power(0.25))],
        calibration=[plots.CalibrationBin(i / 10, i / 11, i / 12, i / 10, 1000 - 90 * i) for i in range(1, 10)],
    )
    html = _environment().from_string(_GALLERY).render(title="Gallery", subtitle="", view=view, verdict=None)
    return html, ["false positive rate", "observed share", "far out"]


def _slice(draw: random.Random, i: int) -> plots.ForestRow:
    estimate, half = draw.gauss(0.02, 0.06), 0.005 + abs(draw.gauss(0.03, 0.02))
    status = "fail" if estimate - half > 0.1 else "pass" if estimate + half < 0.1 else "inconclusive"
    label = f"native_country=Holand-Netherlands × occupation={i}"
    return plots.ForestRow(label, estimate, estimate - half, estimate + half, draw.randint(50, 20_000), status)


def _power(exponent: float) -> tuple[list[float], list[float]]:
    x = [i / 1000 for i in range(1001)]
    return x, [value**exponent for value in x]


PAGES: dict[str, Callable[[], Page]] = {
    "behavior": behavior_page,
    "gallery": _gallery,
    "gate_summary": _gate_summary,
    "run-broken": lambda: _run(Outcome.BROKEN),
    "run-passed": lambda: _run(Outcome.PASSED),
    "serving-failed": lambda: (serving_page(good=False), ["Latency at 120 requests/s", "application-", "500 in HTML"]),
    "serving-passed": lambda: (serving_page(good=True), ["The highest rate", "Memory under load", "offline score"]),
    "verdict": lambda: _verdict(0),
    "verdict-long": lambda: _verdict(120),
    **DATA_PAGES,
    **GATE_PAGES,
    **MODEL_PAGES,
    **DELIVERY_PAGES,
    **FEATURE_PAGES,
}
"""Template's stem (and a variant after a hyphen) → the page."""


@cache
def made(name: str) -> Page:
    """One of ``PAGES``, made once: a gate's page takes a second or two."""
    return PAGES[name]()
