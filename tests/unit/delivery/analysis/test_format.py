import math

import pytest

from gauntlet.delivery.analysis.format import duration, e_value, hits, percent, rates
from gauntlet.delivery.analysis.state import Tally


@pytest.mark.parametrize(
    ("rate", "text"),
    [(0, "0.0 %"), (0.00042, "0.042 %"), (0.0098, "0.98 %"), (0.031, "3.1 %"), (0.62, "62 %"), (1, "100 %")],
)
def test_a_share_has_two_digits_that_tell_something(rate, text):
    assert percent(rate) == text


def test_rates_of_both_versions():
    assert rates(Tally((37, 1204), (93, 10300))) == "3.1 % of 1,204 against 0.90 % of 10,300"
    assert rates(Tally()) == "none of none against none of none"


@pytest.mark.parametrize(
    ("log_e", "text"),
    [(math.log(96), "96"), (-3.9, "0.0202"), (9.5, "13,360"), (99, "more than 1e9"), (1e6, "more than 1e9")],
)
def test_evidence(log_e, text):
    assert e_value(log_e) == text


@pytest.mark.parametrize(("seconds", "text"), [(40, "40 s"), (700, "12 min"), (12_600, "3.5 h")])
def test_how_long(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("metric", "test", "text"),
    [
        ("errors", "errors", "errors"),
        ("latency", "le=0.25", "requests above 0.25 s"),
        ("scores", "up to 0.3", "scores up to 0.3"),
        ("slices", "sex=Female above 0.3", "scores of sex=Female above 0.3"),
        ("outcomes", "outcomes", "wrong decisions"),
    ],
)
def test_what_a_test_counts(metric, test, text):
    assert hits(metric, test) == text
