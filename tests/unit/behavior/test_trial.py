"""Trying a rule on a model that is a formula: which rows break it, how they are counted and ranked."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from builders.behavior import INPUTS, logistic, rows, rule_of, subject_of
from gauntlet.behavior.sampling import Drawn
from gauntlet.behavior.trial import Trial, try_rule
from gauntlet.errors import DataError


def drawn(table: pa.Table | None = None, units: np.ndarray | None = None) -> Drawn:
    table = rows() if table is None else table
    own = np.arange(table.num_rows, dtype=np.uint64)
    return Drawn(table, own if units is None else units, 10 * table.num_rows, units is not None)


def tried(rule, formula=logistic, task="binary", threshold=None, **given) -> Trial:
    return try_rule(rule, drawn(**given), subject_of(formula, task, threshold), seed=0, n_offenders=3)


LATE = [{"add": {"column": "late", "by": 1}}]


def test_a_sound_model_keeps_a_direction():
    trial = tried(rule_of("directional", change=LATE, expect={"score": "decreases"}))
    assert (trial.rows, trial.units, trial.failures, trial.broken_rows) == (200, 200, 0, 0)
    assert trial.matched == 2000
    assert (trial.moves < 0).all()
    assert trial.offenders == ()


def test_a_model_that_likes_late_payments_breaks_it_everywhere_and_the_worst_comes_first():
    rule = rule_of("directional", change=LATE, expect={"score": "not_increases", "tolerance": 0.001})
    trial = tried(rule, lambda columns: 1 - logistic(columns))
    assert trial.failures == trial.broken_rows == int((trial.moves > 0.001).sum()) > 150
    moves = [one.scores[1] - one.scores[0] for one in trial.offenders]
    assert moves == sorted(moves, reverse=True)
    assert moves[0] == pytest.approx(trial.moves.max())
    worst = trial.offenders[0]
    assert set(worst.before) == set(INPUTS)
    assert worst.after == {"late": worst.before["late"] + 1}
    assert worst.decisions is not None
    assert len(trial.offenders) == 3


@pytest.mark.parametrize(
    ("expect", "broken"),
    [
        ({"score": "increases"}, 200),
        ({"score": "decreases"}, 200),
        ({"score": "not_increases"}, 0),
        ({"score": "not_decreases"}, 0),
    ],
)
def test_a_score_that_stays_neither_rises_nor_falls(expect, broken):
    trial = tried(
        rule_of("directional", change=LATE, expect=expect), lambda columns: np.full(len(columns["late"]), 0.5)
    )
    assert trial.broken_rows == broken


@pytest.mark.parametrize(
    ("expect", "broken"),
    [
        ({"score": "increases", "by": 0.24}, 0),
        ({"score": "increases", "by": 0.25}, 200),
        ({"score": "not_increases", "tolerance": 0.25}, 0),
        ({"score": "not_increases", "tolerance": 0.24}, 200),
        ({"score": "not_decreases"}, 0),
        ({"score": "decreases"}, 200),
    ],
)
def test_the_ends_of_a_direction(expect, broken):
    """A score that rises by exactly a quarter: ``by`` must be beaten, ``tolerance`` may be met."""
    change = [{"set": {"column": "member", "to": True}}]
    table = rows().set_column(4, "member", pa.array([False] * 200))
    rule = rule_of("directional", change=change, expect=expect)
    assert tried(rule, lambda columns: 0.25 + 0.25 * columns["member"], table=table).broken_rows == broken


def test_rows_that_the_change_leaves_alone_do_not_count():
    table = rows()
    missing = table.column("region").null_count
    rule = rule_of(change=[{"case": {"column": "region", "to": "upper"}}])
    trial = tried(rule, table=table)
    assert missing > 0
    assert trial.rows == trial.units == 200 - missing
    assert trial.drawn == 200


def test_a_change_of_nothing_tries_nothing():
    trial = tried(rule_of(change=[{"case": {"column": "region", "to": "lower"}}]))
    assert (trial.rows, trial.units) == (0, 0)


def test_a_cluster_breaks_a_rule_when_one_of_its_rows_does():
    units = np.repeat(np.arange(50, dtype=np.uint64), 4)
    table = rows()
    only_first = np.arange(200) % 4 == 0

    def odd(columns):
        return 0.2 + 0.5 * only_first * (columns["income"] > 1e5)

    rule = rule_of(change=[{"add": {"column": "income", "by": 1e6}}], expect={"max_change": 0.1})
    trial = tried(rule, odd, table=table, units=units)
    assert (trial.units, trial.failures, trial.broken_rows, trial.rows) == (50, 50, 50, 200)
    assert trial.clustered


def test_a_decision_that_turns_breaks_a_rule_however_small_the_move():
    flip = [{"set": {"column": "member", "to": True}}]
    table = rows().set_column(4, "member", pa.array([False] * 200))

    def edge(columns):
        return 0.499 + 0.002 * columns["member"]

    assert tried(rule_of(change=flip, expect={"same_decision": True}), edge, table=table).broken_rows == 200
    assert tried(rule_of(change=flip, expect={"max_change": 0.01}), edge, table=table).broken_rows == 0
    elsewhere = tried(rule_of(change=flip, expect={"same_decision": True}), edge, threshold=0.7, table=table)
    assert elsewhere.broken_rows == 0


def probabilities(columns):
    gold = logistic(columns)
    return np.stack([gold, (1 - gold) * 0.7, (1 - gold) * 0.3], axis=1)


def test_many_classes_move_by_the_class_that_moves_most():
    rule = rule_of(change=LATE, expect={"max_change": 0.05})
    trial = tried(rule, probabilities, "multiclass")
    gold = tried(
        rule_of("directional", change=LATE, expect={"score": "decreases", "of": "gold"}), probabilities, "multiclass"
    )
    silver = tried(
        rule_of("directional", change=LATE, expect={"score": "increases", "of": "silver"}), probabilities, "multiclass"
    )
    assert np.allclose(np.abs(trial.moves), np.abs(gold.moves)), "gold moves most: the others share what it loses"
    assert gold.broken_rows == silver.broken_rows == 0
    assert trial.broken_rows == int((np.abs(gold.moves) > 0.05).sum()) > 0
    assert trial.offenders[0].decisions is not None
    assert trial.offenders[0].decisions[0].startswith("class ")


def test_a_regression_decides_by_its_threshold():
    def value(columns):
        return columns["income"] - 100 * columns["late"]

    rule = rule_of(change=LATE, expect={"same_decision": True})
    trial = tried(rule, value, "regression", 2000.0)
    table = rows().to_pydict()
    crossing = sum(i - 100 * n >= 2000 > i - 100 * (n + 1) for i, n in zip(table["income"], table["late"], strict=True))
    assert trial.broken_rows == crossing > 0
    assert trial.offenders[0].decisions == ("at or above 2000", "below 2000")
    plain = tried(rule_of(change=LATE, expect={"max_change": 99}), value, "regression")
    assert plain.broken_rows == 200
    assert plain.offenders[0].decisions is None


def test_chance_belongs_to_the_rules_name_and_the_seed():
    def moves(name, seed):
        rule = rule_of(change=[{"noise": {"column": "income", "sd": 100}}]).model_copy(update={"name": name})
        return try_rule(rule, drawn(), subject_of(), seed=seed, n_offenders=1).moves

    assert np.array_equal(moves("a", 0), moves("a", 0))
    assert not np.array_equal(moves("a", 0), moves("b", 0))
    assert not np.array_equal(moves("a", 0), moves("a", 1))


def test_a_model_that_answers_nonsense_is_an_error():
    with pytest.raises(DataError, match="NaN or infinite"):
        tried(rule_of(change=LATE), lambda columns: np.full(len(columns["late"]), np.nan))
