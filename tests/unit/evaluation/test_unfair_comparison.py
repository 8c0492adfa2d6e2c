"""A comparison on rows that a model was trained on says so."""

from __future__ import annotations

from dataclasses import replace

import pytest

from builders.loans import loans
from builders.predictions import scored
from gauntlet.evaluation.comparison import compare
from gauntlet.evaluation.inputs import Scored
from gauntlet.evaluation.performance import judge_performance
from gauntlet.evaluation.policies import ChampionPolicy, PerformancePolicy
from gauntlet.prediction.format import Overlap
from gauntlet.settings import parse
from gauntlet.verdict import Status

DATA = loans(1500)
CHAMPION = parse(ChampionPolicy, {"primary": {"metric": "accuracy", "margin": 0.1}}, field="policy")


def seen(rows: Scored, shared: int) -> Scored:
    return replace(rows, manifest=replace(rows.manifest, trained_on=Overlap(1500, shared)))


@pytest.mark.parametrize(("shared", "status"), [(0, Status.PASS), (15, Status.PASS), (16, Status.INCONCLUSIVE)])
@pytest.mark.parametrize("who", ["champion", "challenger"])
def test_more_than_one_row_in_a_hundred_makes_a_comparison_inconclusive(who: str, shared: int, status: Status) -> None:
    rows = scored(DATA.label, DATA.scores(1))
    models = {"challenger": rows, "champion": rows, who: seen(rows, shared)}
    verdict = compare(models["challenger"], models["champion"], CHAMPION).verdict
    assert verdict.status is status
    assert (f"rows that the {who} was trained on" in verdict.summary) == (shared == 16)


def test_a_challenger_that_loses_to_a_champion_that_knows_the_rows_is_told_so() -> None:
    blind = scored(DATA.label, DATA.scores(1)[::-1].copy())
    verdict = compare(blind, seen(scored(DATA.label, DATA.scores(1)), 700), CHAMPION).verdict
    assert verdict.status is Status.FAIL
    assert "700 of 1,500 rows (47%)" in verdict.summary


def test_a_champion_that_knows_the_answer_is_asked_about_and_can_be_retired() -> None:
    knows = scored(DATA.label, 0.1 + 0.8 * DATA.label)
    verdict = compare(scored(DATA.label, DATA.scores(1)), knows, CHAMPION).verdict
    assert verdict.status is Status.FAIL
    assert "retire it (docs/registry.md)" in verdict.summary
    (asked,) = [check for check in verdict.checks if check.code == "compare_champion.near_perfect"]
    assert asked.advisory
    assert "near perfect" not in " ".join(check.name for check in compare(knows, knows, CHAMPION).verdict.checks)


def test_a_model_is_not_good_enough_on_rows_it_was_trained_on() -> None:
    policy = parse(PerformancePolicy, {}, field="policy")
    rows = scored(DATA.label, DATA.scores(1))
    assert judge_performance(rows, policy).verdict.status is Status.PASS
    assert judge_performance(seen(rows, 1500), policy).verdict.enforceable is Status.INCONCLUSIVE
