"""The faster equal-width histogram against TFDV's own, to the last bit."""

from __future__ import annotations

import types

import numpy as np
import pytest

from gauntlet.data import equi_width, tfdv

QUANTILES = 2000
SHAPES = {
    "normal": lambda rng: rng.normal(size=5000),
    "whole numbers": lambda rng: np.floor(rng.gamma(3, 9, 5000)),
    "on the borders of bars": lambda rng: rng.integers(0, 11, 5000).astype(float),
    "mostly zero": lambda rng: np.where(rng.random(5000) < 0.9, 0, rng.lognormal(8, 1, 5000)),
    "mostly the least and the greatest": lambda rng: rng.choice([-3.0, 0.1, 7.0], 5000, p=[0.45, 0.1, 0.45]),
    "one far outlier": lambda rng: np.append(rng.normal(size=5000), 1e12),
    "few values": lambda rng: rng.normal(size=7),
    "a constant": lambda rng: np.full(50, 2.5),
    "infinities": lambda rng: np.concatenate([[-np.inf] * 40, rng.normal(size=900), [np.inf] * 30]),
    "more than can be spanned": lambda rng: np.array([-1.7e308, 0.0, 1.7e308]),
}


@pytest.fixture(scope="module")
def both():
    """TFDV's function, from a full import, and ours in a copy of its module."""
    from tensorflow_data_validation.utils import quantiles_util

    copy = types.ModuleType("copy")
    vars(copy).update({name: value for name, value in vars(quantiles_util).items() if not name.startswith("__")})
    equi_width.use_in(copy)
    assert copy.generate_equi_width_histogram is not quantiles_util.generate_equi_width_histogram
    return quantiles_util.generate_equi_width_histogram, copy.generate_equi_width_histogram


@pytest.mark.parametrize("bars", [1, 37])
@pytest.mark.parametrize("weighted", [False, True], ids=["counted", "weighted"])
@pytest.mark.parametrize("shape", list(SHAPES))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_every_bar_is_tfdvs_to_the_last_bit(both, shape, weighted, bars):
    rng = np.random.default_rng(4)
    values = np.sort(SHAPES[shape](rng))
    weights = rng.gamma(2, size=len(values)) if weighted else np.ones(len(values))
    up_to = np.cumsum(weights)
    at = np.searchsorted(up_to, np.linspace(up_to[0], up_to[-1], QUANTILES + 1) - 1e-9)
    at = np.clip(at, 0, len(values) - 1)
    finite = values[np.isfinite(values)]
    arguments = (values[at], up_to[at], finite.min(), finite.max(), bars, weights[np.isposinf(values)].sum())
    theirs, ours = (function(*arguments) for function in both)
    assert ours == theirs
    assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)


def test_a_module_without_what_is_needed_is_not_touched():
    with pytest.raises(AttributeError):
        equi_width.use_in(types.ModuleType("other"))


def test_only_the_private_copy_is_changed():
    from tensorflow_data_validation.utils import quantiles_util

    tfdv.load_generators.cache_clear()
    tfdv.load_generators()
    assert quantiles_util.generate_equi_width_histogram.__module__ == quantiles_util.__name__
