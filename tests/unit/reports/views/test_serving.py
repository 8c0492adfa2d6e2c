"""The page of the serving tests: what it says, and what it looked like when somebody last looked."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from builders.gold import assert_gold
from builders.reports import rows, text
from builders.serving_pages import examination, serving_page
from gauntlet.reports.page import render
from gauntlet.reports.views.serving import ServingView, serving_view
from gauntlet.serving.acceptance.footprint import Footprint
from gauntlet.serving.acceptance.gate import Examination
from gauntlet.verdict import Status

GOLD = Path(__file__).parents[1] / "gold"


@cache
def found(good: bool) -> Examination:
    return examination(good=good)


def view(good: bool = True) -> ServingView:
    return serving_view(found(good))


def test_the_page_is_what_it_was() -> None:
    assert_gold(serving_page(good=False), GOLD / "serving-failed.html")


def test_nothing_from_outside_is_markup() -> None:
    page = serving_page(good=False)
    assert "<script" not in page
    assert "&lt;script&gt;" in page


def test_the_made_up_examinations_show_every_status() -> None:
    assert {check.status for check in found(True).verdict.checks} == {Status.PASS}
    assert {check.status for check in found(False).verdict.checks} >= {Status.PASS, Status.FAIL, Status.ERROR}


def test_quantiles_are_those_of_the_run_and_the_line_ends_at_the_slowest_request() -> None:
    latency = view().latency
    assert latency is not None
    measured = found(True).latency.measured.latency * 1e3
    assert [row.name for row in latency.table] == ["p50", "p95", "p99", "p99.9"]
    assert latency.table[1].value == pytest.approx(np.quantile(measured, 0.95), rel=0.01)
    line = latency.lines[0]
    assert line.y[0] == measured.min()
    assert line.y[-1] == measured.max()
    assert list(line.x) == sorted(line.x)
    assert max(line.x) < 1
    assert [mark.status for mark in latency.marks][1] == ""  # p95 has no limit


def test_every_run_of_the_search_is_listed() -> None:
    search = view().saturation
    assert search is not None
    assert len(search.runs) == len(search.table) == len(found(True).saturation.summaries)
    assert search.limit == 150
    assert search.asked == 300
    assert [row[0] for row in search.table] == sorted(run.rate for run in search.runs)
    assert all(bool(row[3]) != next(run.kept for run in search.runs if run.rate == row[0]) for row in search.table)


def test_differences_are_counted_by_size() -> None:
    good, bad = view(True).parities[0], view(False).parities[0]
    assert dict(good.sizes)["equal"] == good.rows == 900
    assert sum(count for _, count in bad.sizes) == 900
    assert dict(bad.sizes)["above 0.001"] == int((found(False).parities[0].differences > 1e-3).sum())
    assert good.worst == ()
    assert len(bad.worst) == 10


def test_what_was_not_tested_has_no_place() -> None:
    bare = replace(found(True), findings=(), parities=(), latency=None, saturation=None, footprint=None)
    page = render("serving.html.j2", title="x", view=serving_view(bare), verdict=bare.verdict)
    for words in ("The API", "Latency at", "The highest rate", "Memory under load", "Served against"):
        assert words not in page


def test_metrics_that_were_never_read_draw_nothing() -> None:
    unread = replace(found(True), footprint=Footprint((), 100, 3))
    memory = serving_view(unread).memory
    assert memory is not None
    assert (memory.line, memory.peak, memory.cores, memory.ready) == (None, None, None, None)
    assert "Memory under load" not in render("serving.html.j2", title="x", view=serving_view(unread), verdict=None)


def test_many_problems_are_shown_up_to_a_number() -> None:
    bad = view(False)
    wrong = sum(bool(one.problem) for one in found(False).findings)
    assert len(bad.problems) + bad.more_problems == wrong
    assert sum(count for _, _, count in bad.groups) == wrong


def test_the_page_of_a_server_that_passes_shows_its_numbers_and_no_problem() -> None:
    page = serving_page(good=True)
    for title in ("Latency p50", "Latency p99", "Highest rate kept", "Peak memory", "Cold start", "None failed."):
        assert title in text(page)
    assert "What is wrong" not in page
    assert "The rows that differ most" not in page
    for drawing in ("Latency by quantile", "p99 over the rate", "Resident memory", "Differences by size"):
        assert f'aria-label="{drawing}"' in page
    assert {row[-1] for row in rows(page) if len(row) == 3 and row[1].isdecimal()} == {"0"}, "answered wrongly"
