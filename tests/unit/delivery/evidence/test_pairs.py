import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gauntlet.delivery.evidence.pairs import Pairs, excess_bounds, log_not_worse, log_worse
from gauntlet.errors import ConfigurationError, DataError

CELLS = ((1, 0), (0, 1), (1, 1), (0, 0))
MARGINS = [(1.0, 0.0), (1.0, 0.01), (1.1, 0.05), (0.5, 0.2), (2.0, -0.3)]


def mean(evidence, chances, pairs, **test):
    """E of the evidence after so many independent pairs, by summing over every outcome."""
    total = 0.0
    for cells in product(range(4), repeat=pairs):
        hits = [CELLS[cell] for cell in cells]
        found = Pairs(sum(c for c, _ in hits), sum(s for _, s in hits), pairs, both=sum(c * s for c, s in hits))
        total += math.prod(chances[cell] for cell in cells) * math.exp(evidence(found, **test))
    return total


def joints(rho, delta, shift):
    """Joint chances (canary alone, stable alone, both, neither) with p_c = ρ p_s + δ + shift, of all dependences."""
    for stable in (0.0, 0.02, 0.3, 0.6):
        canary = rho * stable + delta + shift
        if not 0 <= canary <= 1:
            continue
        fewest, most = max(0.0, canary + stable - 1), min(canary, stable)
        for part in (0.0, 0.4, 1.0):
            both = fewest + part * (most - fewest)
            yield canary - both, stable - both, both, 1 - canary - stable + both


@pytest.mark.parametrize(("rho", "delta"), MARGINS)
@pytest.mark.parametrize("evidence", [log_worse, log_not_worse])
def test_on_the_margin_the_evidence_has_mean_one_whatever_the_dependence(evidence, rho, delta):
    found = [mean(evidence, chances, 3, rho=rho, delta=delta) for chances in joints(rho, delta, 0.0)]
    assert len(found) >= 3
    assert found == pytest.approx([1.0] * len(found), abs=1e-9)


@pytest.mark.parametrize(("rho", "delta"), MARGINS)
def test_inside_the_margin_it_shrinks_and_beyond_it_grows(rho, delta):
    inside, beyond = [
        [(sign, chances) for sign in (log_worse, log_not_worse) for chances in joints(rho, delta, shift)]
        for shift in (-0.05, 0.05)
    ]
    assert inside
    assert beyond
    for evidence, chances in inside:
        value = mean(evidence, chances, 2, rho=rho, delta=delta)
        assert value < 1 if evidence is log_worse else value > 1
    for evidence, chances in beyond:
        value = mean(evidence, chances, 2, rho=rho, delta=delta)
        assert value > 1 if evidence is log_worse else value < 1


@st.composite
def some_pairs(draw):
    pairs = draw(st.integers(1, 400))
    canary, stable = draw(st.integers(0, pairs)), draw(st.integers(0, pairs))
    both = draw(st.integers(max(0, canary + stable - pairs), min(canary, stable)))
    return Pairs(canary, stable, pairs, both)


@given(some_pairs(), st.sampled_from(MARGINS))
def test_totals_alone_never_say_more_than_any_number_of_common_hits_would(found, margin):
    rho, delta = margin
    totals = Pairs(found.canary, found.stable, found.pairs)
    for evidence in (log_worse, log_not_worse):
        least, known = (evidence(one, rho=rho, delta=delta) for one in (totals, found))
        assert least <= known + 1e-9 * (1 + abs(known))


@given(some_pairs(), st.sampled_from([0.5, 1.0, 1.2]))
def test_the_bounds_hold_the_estimate_and_are_where_the_evidence_crosses(found, rho):
    low, high = excess_bounds(found, rho=rho, alpha=(0.01, 0.05))
    assert -rho <= low <= (found.canary - rho * found.stable) / found.pairs <= high <= 1
    if low > -rho + 1e-5:
        assert log_worse(found, rho=rho, delta=low - 1e-6) >= math.log(100)
        assert log_worse(found, rho=rho, delta=low + 1e-6) < math.log(100) + 0.05
    if high < 1 - 1e-5:
        assert log_not_worse(found, rho=rho, delta=high + 1e-6) >= math.log(20)
        assert log_not_worse(found, rho=rho, delta=high - 1e-6) < math.log(20) + 0.05


@given(some_pairs())
def test_the_arms_may_change_places(found):
    turned = Pairs(found.stable, found.canary, found.pairs, found.both)
    low, high = excess_bounds(found, alpha=(0.05, 0.05))
    assert excess_bounds(turned, alpha=(0.05, 0.05)) == pytest.approx((-high, -low), abs=1e-6)


def test_what_hits_in_both_arms_does_not_matter_to_a_difference():
    """An outage of both arms is no evidence against either."""
    calm, outage = Pairs(9, 2, 3000, both=0), Pairs(309, 302, 3000, both=300)
    assert excess_bounds(calm, alpha=(0.05, 0.05)) == pytest.approx(excess_bounds(outage, alpha=(0.05, 0.05)))


def test_pairs_in_clusters_say_less():
    found = Pairs(40, 5, 1000, both=2)
    alone = log_worse(found, delta=0.01)
    assert 0 < log_worse(found, delta=0.01, phi=5) < alone / 4


def test_without_pairs_nothing_is_known():
    assert excess_bounds(Pairs(0, 0, 0, 0), rho=1.1, alpha=(0.05, 0.05)) == (-1.1, 1.0)
    assert log_worse(Pairs(0, 0, 0), delta=0.1) == pytest.approx(0.0)


@pytest.mark.parametrize(
    "counts", [(2, 0, 1, None), (0, 2, 1, None), (1, 1, 4, 2), (3, 3, 4, 1), (1.5, 0, 4, 0), (-1, 0, 4, 0)]
)
def test_what_cannot_be_pairs_is_refused(counts):
    with pytest.raises(DataError):
        Pairs(*counts)


@pytest.mark.parametrize(
    ("field", "test"),
    [
        ("rho", {"rho": 0.0, "delta": 0.1}),
        ("delta", {"delta": 1.0}),
        ("delta", {"delta": -1.0}),
        ("phi", {"delta": 0.1, "phi": 0.5}),
    ],
)
def test_a_test_that_is_none_is_refused(field, test):
    for evidence in (log_worse, log_not_worse):
        with pytest.raises(ConfigurationError) as error:
            evidence(Pairs(0, 0, 1), **test)
        assert error.value.field == field


def test_a_level_out_of_range_is_refused():
    with pytest.raises(ConfigurationError, match="alpha"):
        excess_bounds(Pairs(0, 0, 1), alpha=(0.05, 1.0))
