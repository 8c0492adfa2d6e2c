"""The incomplete beta function against SciPy's."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import special

from gauntlet.stats import beta

shapes = st.one_of(st.floats(0.5, 20), st.floats(20, 1e7), st.integers(1, 10**7).map(float))


@given(shapes, shapes, st.floats(1e-6, 1 - 1e-6))
@example(1.0, 1e7, 1e-3)
@example(5e6, 5e6, 0.5)
@example(1e7, 1.0, 0.999)
def test_the_quantile_is_scipys(a, b, tail):
    assert beta.quantile(tail, a, b) == pytest.approx(special.betaincinv(a, b, tail), rel=1e-9)


@given(shapes, shapes, st.floats(-5, 5))
def test_the_function_is_scipys(a, b, deviations):
    n = a + b
    x = a / n + deviations * (a * b / (n * n * (n + 1))) ** 0.5
    if 0 < x < 1:
        assert beta.regularized(x, a, b) == pytest.approx(special.betainc(a, b, x), rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("a", "b", "x"), [(2.0, 5.0, 0.1), (0.5, 0.5, 0.3), (400.5, 3.5, 0.99)])
def test_both_tails_are_one(a, b, x):
    assert beta.regularized(x, a, b) + beta.regularized(1 - x, b, a) == pytest.approx(1, abs=1e-14)


def test_a_uniform_variable_is_its_own_chance():
    assert beta.regularized(0.3, 1, 1) == pytest.approx(0.3, abs=1e-15)
    assert beta.quantile(0.3, 1, 1) == pytest.approx(0.3, abs=1e-12)


def test_the_fraction_is_that_of_the_power_function():
    # I_x(a, 1) = xᵃ and B(a, 1) = 1/a: what remains is 1 / (1 - x).
    assert beta.fraction(3.0, 1.0, 0.25) == pytest.approx(1 / 0.75, rel=1e-14)
