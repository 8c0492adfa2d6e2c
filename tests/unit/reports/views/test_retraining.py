"""The pages of the stability gate and of the small-scale test: what they say, and what they leave out."""

from __future__ import annotations

from dataclasses import replace

from builders.loans import loans
from builders.model_pages import evidence
from builders.predictions import scored
from builders.reports import HOSTILE
from builders.stability import reruns
from gauntlet.reports.views.stability import stability_page, stability_view
from gauntlet.reports.views.training_check import training_check_page, training_check_view
from gauntlet.settings import parse
from gauntlet.stability.gate import StabilityResult, judge_stability
from gauntlet.stability.policy import StabilityPolicy
from gauntlet.training_check.gate import judge_training, nothing_asked
from gauntlet.training_check.policy import TrainingPolicy

DATA = loans(1500)
TRIAL = parse(TrainingPolicy, {}, field="policy")


def judged(runs: int, *, rival: float | None = None, **policy: object) -> StabilityResult:
    seeds = [DATA.scores(i, noise=0.3) for i in range(runs)]
    rivals = {}
    if rival is not None:
        rivals = {
            "challenger": scored(DATA.label, seeds[0]),
            "champion": scored(DATA.label, DATA.scores(90, noise=rival)),
        }
    return judge_stability(reruns(DATA.label, seeds), parse(StabilityPolicy, policy, field="policy"), **rivals)


def test_every_metric_has_a_row_and_what_was_not_measured_is_said() -> None:
    view = stability_view(judged(4))
    assert view.head == ("Metric", "This model", "Another seed", "Another draw adds")
    assert view.metrics[0][0] == "AUC"
    assert all(len(row) == len(view.head) for row in view.metrics)
    assert {row[3] for row in view.metrics} == {"not measured"}
    assert [row.label for row in view.estimates] == ["seed 0", "seed 1", "seed 2", "seed 3"]
    assert (view.champion_gap, view.reading) == ((), ())


def test_a_cap_and_a_limit_show_where_they_are_declared() -> None:
    view = stability_view(judged(3, max_seed_sd={"auc": 0.01}, max_flips=0.2))
    assert view.head[-1] == "Cap"
    assert (view.metrics[0][0], view.metrics[0][-1]) == ("AUC", "0.01")
    assert view.bound == 20.0


def test_two_models_are_read_beside_the_spread_of_one() -> None:
    far = stability_view(judged(4, rival=3.0))
    assert far.champion_gap[0][-1] == "beyond the noise"
    assert "so the difference is beyond what chance in training brings" in far.reading[0]
    assert far.changes[-1][0] == "The champion"


def test_more_pairs_than_can_be_drawn_are_counted() -> None:
    view = stability_view(judged(9))
    assert len(view.pairs) == 30
    assert view.left_out == 6
    assert "6 more pairs flip less" in stability_page(judged(9))


def test_a_trial_shows_curves_ways_and_chance() -> None:
    view = training_check_view(judge_training(evidence(sound=True), TRIAL))
    assert [series.name for series in view.curve] == ["train", "validation"]
    assert view.ways[-1] == ("one row at a time", "0", "20")
    assert view.chance[0].status == "pass"
    assert view.batch_rows == 64


def test_what_was_not_asked_is_not_shown() -> None:
    assert not training_check_view(nothing_asked()).asked
    bare = replace(evidence(sound=True), curve={}, batch=None, saved=None, shuffled=None, again=None)
    policy = parse(TrainingPolicy, {"overfit": False}, field="policy")
    page = training_check_page(judge_training(bare, policy))
    assert "How learning went" not in page
    assert "Shuffled labels" not in page


def test_nothing_from_the_data_gets_out_as_markup() -> None:
    seen = replace(evidence(sound=True), rows={HOSTILE: 3})
    assert "<script>" not in training_check_page(judge_training(seen, TRIAL))
