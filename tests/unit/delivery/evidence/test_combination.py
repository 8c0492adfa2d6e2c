import math

import numpy as np
import pytest

from gauntlet.delivery.evidence.combination import combine, panel_log_e, restart_panel, update_panel
from gauntlet.delivery.evidence.counts import Counts
from gauntlet.delivery.evidence.sequential import Direction, Test, begin, e_value, log_e_value
from gauntlet.errors import ConfigurationError, DataError

HARMED, CALM = Counts(40, 1000, 90, 9000), Counts(10, 1000, 90, 9000)


def panel(direction=Direction.HARM):
    test = Test(direction, delta=0.005, starts=2)
    return update_panel({"a": begin(test), "b": begin(test)}, {"a": HARMED, "b": CALM})


def test_harm_at_one_boundary_is_the_mean():
    found = panel()
    assert math.exp(panel_log_e(found)) == pytest.approx((e_value(found["a"]) + e_value(found["b"])) / 2)
    assert e_value(found["a"]) > 20 > e_value(found["b"])


def test_not_worse_has_to_hold_at_every_boundary():
    found = panel(Direction.NOT_WORSE)
    assert panel_log_e(found) == log_e_value(found["a"]) < log_e_value(found["b"])


def test_every_test_of_a_panel_restarts():
    assert {len(process.log_e) for process in restart_panel(panel()).values()} == {2}


def test_a_boundary_cannot_be_left_out():
    with pytest.raises(DataError, match=r"counts: were not counted .*'b'"):
        update_panel(panel(), {"a": CALM})


def test_a_panel_of_nothing_or_of_both_directions_is_refused():
    with pytest.raises(ConfigurationError, match="one direction"):
        panel_log_e({})
    mixed = {"a": begin(Test()), "b": begin(Test(Direction.NOT_WORSE))}
    with pytest.raises(ConfigurationError, match="one direction"):
        panel_log_e(mixed)


WEIGHTS = {"errors": 0.5, "latency": 0.25, "scores": 0.25}


def test_the_culprit_is_the_metric_that_suffices_for_its_share():
    alarm = combine({"errors": 0.0, "latency": math.log(81), "scores": -3.0}, WEIGHTS, alpha=0.05)
    assert alarm.raised
    assert alarm.culprits == ("latency",)
    assert math.exp(alarm.log_e) == pytest.approx(0.5 + 81 / 4 + math.exp(-3) / 4)


def test_metrics_together_may_raise_an_alarm_that_none_raises_alone():
    alarm = combine({"errors": math.log(30), "latency": math.log(30), "scores": 0.0}, WEIGHTS, alpha=0.05)
    assert (alarm.raised, alarm.culprits, alarm.leading) == (True, (), "errors")


def test_no_evidence_raises_nothing():
    alarm = combine(dict.fromkeys(WEIGHTS, 0.0), WEIGHTS, alpha=0.05)
    assert not alarm.raised
    assert alarm.log_e == pytest.approx(0.0)
    assert not combine(dict.fromkeys(WEIGHTS, -1e6), WEIGHTS, alpha=0.05).raised


def test_overwhelming_evidence_does_not_overflow():
    alarm = combine({"errors": 1e6, "latency": 2e6, "scores": 0.0}, WEIGHTS, alpha=0.05)
    assert alarm.culprits == ("latency", "errors")
    assert np.isfinite(alarm.log_e)


@pytest.mark.parametrize(
    "weights", [{}, {"errors": 0.5}, {"errors": 1.5, "latency": -0.5}, {"errors": math.nan}, {"errors": 1.0, "b": 0.0}]
)
def test_weights_that_do_not_share_alpha_are_refused(weights):
    with pytest.raises(ConfigurationError, match="weights: must be positive and sum to 1"):
        combine(dict.fromkeys(weights, 0.0), weights, alpha=0.05)


def test_a_metric_that_went_missing_is_an_error():
    with pytest.raises(DataError, match="latency"):
        combine({"errors": 0.0, "scores": 0.0}, WEIGHTS, alpha=0.05)


@pytest.mark.parametrize("alpha", [0, 1, math.nan])
def test_alpha_is_a_probability(alpha):
    with pytest.raises(ConfigurationError, match="alpha"):
        combine({"errors": 0.0}, {"errors": 1.0}, alpha=alpha)
