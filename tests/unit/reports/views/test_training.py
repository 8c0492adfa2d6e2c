from __future__ import annotations

from dataclasses import replace

from gauntlet.reports.curves import Series
from gauntlet.reports.page import render
from gauntlet.reports.views.training import FeatureRow, MetricRow, TrainingView

VIEW = TrainingView(
    task="binary",
    label="outcome",
    classes=("late", "paid <b>"),
    rows={"train": 1200, "validation": 300},
    device="cpu",
    reason="auto: no CUDA card is visible",
    rounds=40,
    most_rounds=300,
    seeds=(0, 1, 2),
    metrics=(MetricRow("auc", 0.8123, 0.8101, 0.8140, 0.002),),
    curve=(Series("train", (1, 2), (0.6, 0.5)), Series("validation", (1, 2), (0.61, 0.55))),
    watched="logloss",
    features=(FeatureRow("region", "category", 4, 0.7), FeatureRow("amount", "number", None, 0.3)),
    important=(("region", 0.7), ("amount", 0.3)),
    notes=("income was left out: every training row lacks it.",),
    parameters={"parameters.max_depth": "6"},
    digests={"model": "sha256:1234"},
)


def page(view: TrainingView) -> str:
    return render("training.html.j2", title="Training", view=view)


def test_the_page_says_what_was_trained_where_and_how_sure_it_is() -> None:
    text = page(VIEW)
    for words in (
        "1,200",
        "auto: no CUDA card is visible",
        "Over 3 seeds",
        "0.8101 to 0.814",
        "income was left out: every training row lacks it.",
        "of at most 300",
        "sha256:1234",
        "parameters.max_depth",
    ):
        assert words in text
    assert "paid <b>" not in text
    assert "paid &lt;b&gt;" in text


def test_one_seed_says_that_nothing_is_known_of_another() -> None:
    text = page(replace(VIEW, seeds=(0,), metrics=(MetricRow("auc", 0.81, None, None, None),)))
    assert "nothing is known about what another seed would change" in text
    assert "Over" not in text.replace("Overall", "")


def test_a_trainer_of_the_teams_own_without_validation() -> None:
    bare = replace(
        VIEW,
        rows={"train": 10},
        rounds=0,
        most_rounds=0,
        metrics=(),
        curve=(),
        watched="",
        important=(),
        notes=(),
        features=(FeatureRow("amount", "number", None, None),),
    )
    text = page(bare)
    assert "no validation split" in text
    assert "a trainer of the team&#39;s own" in text
    assert "How learning went" not in text
