import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.seeds import combine

positive = st.floats(1e-6, 1e3)


def test_two_equal_variances_of_three_seeds_and_many_rows():
    # Satterthwaite (1946): (1 + 1)² / (1² / ∞ + 1² / 2) = 8.
    assert combine(1.0, math.inf, 1.0, 3) == (2.0, 8.0)


def test_both_models_were_trained():
    assert combine(1.0, math.inf, 1.0, 3, models=2)[0] == 3.0


@given(variance=positive, df=st.floats(1, 1e4), deviation=positive, seeds=st.integers(2, 50))
def test_degrees_of_freedom_lie_between_the_fewest_and_the_sum(variance, df, deviation, seeds):
    total, found = combine(variance, df, deviation, seeds)
    assert total == pytest.approx(variance + deviation**2)
    assert min(df, seeds - 1) * (1 - 1e-9) <= found <= (df + seeds - 1) * (1 + 1e-9)


def test_seeds_that_agree_add_nothing():
    assert combine(0.25, 40.0, 0.0, 3) == (0.25, pytest.approx(40.0))


@pytest.mark.parametrize(("deviation", "seeds"), [(0.1, 1), (-0.1, 3), (math.nan, 3), (math.inf, 3)])
def test_a_spread_that_cannot_be_is_refused(deviation, seeds):
    with pytest.raises(ConfigurationError, match="seed_spread"):
        combine(1.0, 10.0, deviation, seeds)
