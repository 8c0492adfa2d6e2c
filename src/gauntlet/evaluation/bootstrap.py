"""Poisson bootstrap for metrics without an influence function: mergeable, and the same however the rows are sharded.

Each replicate gives every sampling unit a Poisson(1) number of copies (Hanley & MacGibbon 2006; Chamandy et al. 2012).
The counts are a hash of (seed, unit, replicate), so a shard needs to know nothing of the others, and rows of one
cluster, wherever they are, get the same count.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gauntlet.errors import DataError
from gauntlet.evaluation.sample import Floats

_LARGEST = 12
"""P(Poisson(1) > 12) < 1e-10: larger counts are cut off."""
_UNDEFINED_SHARE = 0.05
_AT_ONCE = 16

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


def poisson_weights(units: ArrayLike, *, seed: int, replicates: range) -> NDArray[np.uint8]:
    """(len(units), len(replicates)) Poisson(1) counts, a pure function of (seed, unit, replicate).

    Args:
        units: (n,) identifiers of the sampling units: strings or integers. Rows of one cluster share the cluster's
            identifier and so its counts.
        seed: any integer.
        replicates: which replicates, so that they can be made in chunks.

    Raises:
        DataError: identifiers that are neither strings nor integers.
    """
    keys = _mix(_unit_keys(units) ^ _mix(np.uint64(seed % (1 << 64)) + _GOLDEN))
    streams = _mix(np.arange(replicates.start, replicates.stop, replicates.step, dtype=np.uint64) * _GOLDEN + _FIRST)
    uniform = (_mix(keys[:, None] ^ streams) >> np.uint64(11)) * 2.0**-53
    return np.searchsorted(_cumulative(), uniform, side="right").astype(np.uint8)


def _cumulative() -> Floats:
    return np.cumsum([math.exp(-1) / math.factorial(k) for k in range(_LARGEST)])


def _mix(bits: NDArray[np.uint64] | np.uint64) -> NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea & Flood 2014): every input bit moves every output bit."""
    with np.errstate(over="ignore"):
        value = np.asarray(bits, dtype=np.uint64) + _GOLDEN
        value = (value ^ (value >> np.uint64(30))) * _FIRST
        value = (value ^ (value >> np.uint64(27))) * _SECOND
        return np.asarray(value ^ (value >> np.uint64(31)))


def _unit_keys(units: ArrayLike) -> NDArray[np.uint64]:
    values = np.asarray(units)
    if values.dtype.kind in "iu":
        return values.astype(np.uint64)
    if values.dtype.kind not in "UO" or not all(isinstance(value, str) for value in values.tolist()):
        raise DataError("must be strings or integers", field="units", value=str(values.dtype), mend="Name units so")
    distinct, inverse = np.unique(values, return_inverse=True)
    digests = [hashlib.blake2b(str(value).encode(), digest_size=8).digest() for value in distinct]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)[inverse]


def weights_by_chunk(units: ArrayLike, *, seed: int, replicates: int) -> Iterator[tuple[range, NDArray[np.uint8]]]:
    """All replicate weights, a few replicates at a time, so that memory stays that of a few columns."""
    for start in range(0, replicates, _AT_ONCE):
        chunk = range(start, min(start + _AT_ONCE, replicates))
        yield chunk, poisson_weights(units, seed=seed, replicates=chunk)


def bootstrap(statistic: Callable[[Floats], float], units: ArrayLike, *, seed: int, replicates: int = 1000) -> Floats:
    """(replicates,) values of ``statistic(counts)``, which takes (n,) replicate weights; NaN where it is undefined.

    Args:
        statistic: the metric under example weights; multiply the counts by your own weights in it.
        units: (n,) as in ``poisson_weights``.
        seed: any integer.
        replicates: how many.
    """
    values = np.empty(replicates)
    for chunk, counts in weights_by_chunk(units, seed=seed, replicates=replicates):
        for column, replicate in enumerate(chunk):
            values[replicate] = statistic(counts[:, column].astype(np.float64))
    return values


def bootstrap_interval(values: Floats, *, confidence: float = 0.95) -> tuple[float, float]:
    """Percentile interval of replicate values.

    Raises:
        DataError: more than 5 % of replicates are undefined (dropping them would hide it).
    """
    undefined = float(np.isnan(values).mean())
    if undefined > _UNDEFINED_SHARE:
        raise DataError(
            "is undefined in too many bootstrap replicates",
            field="bootstrap",
            value=f"{undefined:.1%}",
            mend="Use more rows: some replicates lose a whole class or group",
        )
    low, high = np.nanquantile(values, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
