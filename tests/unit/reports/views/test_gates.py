"""The pages of the three evaluation gates: what they say, and that nothing from the data gets out as markup."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

from builders.loans import Loans, loans
from builders.predictions import scored
from builders.reports import HOSTILE
from builders.reports import rows as table_rows
from gauntlet.evaluation.comparison import compare, no_champion
from gauntlet.evaluation.performance import judge_performance
from gauntlet.evaluation.policies import ChampionPolicy, PerformancePolicy, SlicesPolicy
from gauntlet.evaluation.slices_gate import judge_slices
from gauntlet.reports.page import render
from gauntlet.reports.views.champion import champion_view
from gauntlet.reports.views.performance import performance_view
from gauntlet.reports.views.slices import slices_view
from gauntlet.settings import parse


@pytest.fixture(scope="module")
def data() -> Loans:
    return loans(2000)


def test_performance_shows_every_metric_and_a_confusion_that_adds_up(data: Loans) -> None:
    rows = scored(data.label, data.scores(1), classes=(HOSTILE, "yes"))
    result = judge_performance(rows, parse(PerformancePolicy, {}, field="policy"))
    view = performance_view(result, rows.manifest)
    assert [row.title for row in view.metrics[:2]] == ["AUC", "Log loss"]
    assert view.confusion is not None
    assert sum(sum(row) for row in view.confusion) == 2000
    assert view.base_rate == pytest.approx(data.label.mean())
    assert {row[0] for row in view.by_class.table} == {HOSTILE, "yes"}
    html = render("performance.html.j2", title="x", view=view, verdict=result.verdict)
    assert "<script>" not in html
    assert "yes decided as &lt;script&gt;" in html


def test_slices_draws_gaps_of_shares_in_points_with_both_limits(data: Loans) -> None:
    policy = parse(SlicesPolicy, {"fairness": {"demographic_parity": {"max_gap": 0.1, "min_ratio": 0.8}}}, field="p")
    sex = np.where(data.slices["sex"] == "Female", HOSTILE, "Male")
    rows = scored(data.label, data.scores(1), slices={"sex": sex, "race": data.slices["race"]})
    result = judge_slices(rows, policy)
    view = slices_view(result, rows.manifest, policy)
    gap = next(forest for forest in view.demands if not forest.log)
    assert gap.limits == (-10, 10)
    measured = next(finding.measured for finding in result.findings if finding.demand.kind == "gap")
    assert gap.rows[0].estimate == pytest.approx(100 * measured.value)
    ratio = next(forest for forest in view.demands if forest.log)
    assert ratio.title == "Demographic parity (ratio)"
    assert ratio.limits == (0.8, 1.25)
    assert len(view.table) == 1 + 5
    assert len(view.gaps) == len(result.findings) == 8
    assert "comparisons" in " ".join(view.reading)
    assert "<script>" not in render("slices.html.j2", title="x", view=view, verdict=result.verdict)


def test_slices_with_too_few_positives_are_drawn_and_named(data: Loans) -> None:
    region = np.array(["west"] * 200 + ["east"] * 1800)
    label = np.where((region == "west") & (np.arange(2000) >= 12), 0.0, np.where(np.arange(2000) < 12, 1.0, data.label))
    rows = scored(label, data.scores(1), slices={"region": region})
    policy = parse(SlicesPolicy, {"fairness": {"equal_opportunity": {"max_gap": 0.1}}}, field="p")
    result = judge_slices(rows, policy)
    view = slices_view(result, rows.manifest, policy)
    assert view.reading[1:] == (
        "Of 1 comparisons, 1 reported and not judged.",
        "Too few positives to judge: region=west.",
    )
    assert view.min_support == 20
    (row,) = view.demands[0].rows
    assert row.low is not None
    html = render("slices.html.j2", title="x", view=view, verdict=result.verdict)
    assert "fewer than 20 are reported and not judged" in html
    assert "20 of the kind that a metric is a mean over" in html


def test_many_slices_are_drawn_up_to_a_number_and_listed_all(data: Loans) -> None:
    policy = parse(
        SlicesPolicy, {"min_rows": 10, "max_values": 100, "performance": {"accuracy": {"max_gap": 0.3}}}, field="p"
    )
    city = np.array([f"city {i % 60}" for i in range(2000)])
    rows = scored(data.label, data.scores(1), slices={"city": city})
    view = slices_view(judge_slices(rows, policy), rows.manifest, policy)
    assert len(view.demands[0].rows) == 40
    assert view.demands[0].left_out == 20
    assert len(view.table) == 61


def test_champion_says_which_way_every_metric_went(data: Loans) -> None:
    slices = {"sex": data.slices["sex"]}
    better = scored(data.label, data.scores(1, noise=0.1), slices=slices)
    worse = scored(data.label, data.scores(2, noise=2.0), slices=slices)
    result = compare(better, worse, parse(ChampionPolicy, {}, field="policy"))
    view = champion_view(result, better.manifest)
    readings = {row.title: row.reading for row in view.metrics}
    assert (readings["AUC"], readings["Log loss"]) == ("better", "better")
    assert next(row for row in view.metrics if row.title == "Log loss").difference.startswith("−")
    assert all(row.estimate is not None and row.estimate > 0 for row in view.slice_rows)
    assert view.slice_bound == -0.005
    assert [name for name, *_ in view.decisions] == [
        "Both right",
        "Only the challenger right",
        "Only the champion right",
        "Both wrong",
    ]
    html = render("champion.html.j2", title="x", view=view, verdict=result.verdict)
    assert "Exact McNemar test" in html


def test_without_a_champion_the_page_says_so_and_nothing_else(data: Loans) -> None:
    rows = scored(data.label, data.scores(1))
    result = no_champion(rows, parse(ChampionPolicy, {}, field="policy"), "No version is champion.")
    html = render("champion.html.j2", title="x", view=champion_view(result, rows.manifest), verdict=result.verdict)
    assert "There is no champion to compare with" in html
    assert "Metric by metric" not in html


def test_sentence_and_table_agree_in_unit_sign_and_digits(data: Loans) -> None:
    policy = parse(SlicesPolicy, {"fairness": {"demographic_parity": {"max_gap": 0.01}}}, field="p")
    rows = scored(data.label, data.scores(1), slices={"sex": data.slices["sex"]})
    result = judge_slices(rows, policy)
    html = render("slices.html.j2", title="x", view=slices_view(result, rows.manifest, policy), verdict=result.verdict)
    table = {row[1].split(":")[0]: row for row in table_rows(html) if len(row) == 6 and row[1].startswith("sex=")}
    for row in table.values():
        measured, ends = re.fullmatch(r"(.+? points?) (.+ points)", row[2]).groups()
        assert f"interval {ends}" in row[1]
        assert measured.removeprefix("−") in row[1]
        assert ("lower" in row[1]) == measured.startswith("−")
        assert row[3] in {"≤ 1 point", "≥ −1 point"}
    assert set(table) == {"sex=Female"}


def test_classes_go_by_their_names(data: Loans) -> None:
    rows = scored(data.label, data.scores(1), classes=("0", "1"))
    manifest = replace(rows.manifest, class_names={"1": "repaid"})
    view = performance_view(judge_performance(rows, parse(PerformancePolicy, {}, field="policy")), manifest)
    assert view.classes == ("0", "repaid")
    assert {row[0] for row in view.by_class.table} == {"0", "repaid"}
