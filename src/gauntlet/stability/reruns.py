"""Trains one recipe repeatedly: the same seed twice, other seeds, resampled training rows.

Resampling is a Poisson bootstrap: it counts each person (``roles.cluster``) or, where none is declared, each row of
the *training* split Poisson(1) times. Evaluation rows are never resampled, so no test row gets into training.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from gauntlet.data.contract import Contract
from gauntlet.data.snapshot import Snapshot
from gauntlet.digest import digest_json
from gauntlet.errors import ConfigurationError
from gauntlet.evaluation.sample import Floats, Ints
from gauntlet.prediction.truth import Truth, cluster_codes, read_truth
from gauntlet.training.device import choose, detect
from gauntlet.training.plan import make_plan
from gauntlet.training.recipe import Recipe
from gauntlet.training.refit import Refit, Refitter, refitting
from gauntlet.training.target import Target
from gauntlet.training.trainer import LARGEST_SEED, has_validation

_DRAWS = 0x5EED
"""Separates the random stream of draws from others of the same seed."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Run:
    """Run: one trained model.

    Attributes:
        name: its name in reports: ``seed 7``, ``seed 12, draw 1``.
        digest: digest of the model's bytes; empty if they are not comparable.
        scores: (n,) or (n, classes) on the evaluation rows.
    """

    name: str
    digest: str
    scores: Floats


@dataclass(frozen=True)
class Reruns:
    """Runs of one recipe.

    Attributes:
        target: what is predicted.
        truth: the evaluation rows.
        split: their split.
        snapshot: digest of the data.
        recipe: digest of the recipe.
        repeat: the first seed again.
        seeds: runs that differ by their seed alone; the first is the model itself.
        resamples: runs with another seed and resampled training rows each.
    """

    target: Target
    truth: Truth
    split: str
    snapshot: str
    recipe: str
    repeat: Run
    seeds: tuple[Run, ...]
    resamples: tuple[Run, ...]


def rerun(
    snapshot: Snapshot,
    contract: Contract,
    recipe: Recipe,
    *,
    seed: int,
    runs: int,
    resamples: int,
    device: str = "auto",
    split: str = "test",
    max_seconds: float | None = None,
    now: Callable[[], float] = time.monotonic,
) -> Reruns:
    """Train ``runs`` + 1 + ``resamples`` models and score the evaluation rows with each.

    Args:
        snapshot: the data; the recipe names the split to learn from.
        contract: the schema in plain terms.
        recipe: the recipe.
        seed: seed of the model itself, the first of consecutive ones.
        runs: models that differ by seed alone, at least two.
        resamples: models with another seed and resampled training rows.
        device: ``auto``, ``cuda`` or ``cpu``.
        split: the rows to score.
        max_seconds: stop after the first model if all would take longer.
        now: a clock, in seconds.

    Raises:
        ConfigurationError: seeds, splits, device or recipe cannot be used, or it would take too long.
        DataError: the data cannot be trained or evaluated on.
        DependencyError: the device is missing, or XGBoost failed.
    """
    _check(snapshot, recipe, seed, runs, resamples, split)
    chosen = choose(device, detect())
    plan = make_plan(snapshot, contract, recipe)
    truth = read_truth(snapshot, split, plan.target)
    total = runs + 1 + resamples
    log.info("%d trainings: %d seeds, the first once more, and %d draws of the rows", total, runs, resamples)
    with refitting(snapshot, contract, recipe, plan, device=chosen) as refitter:
        started = now()
        first = _run(f"seed {seed}", refitter.fit(seed, None), split)
        _check_cost(now() - started, total, max_seconds)
        others = [
            _run(f"seed {other_seed}", refitter.fit(other_seed, None), split)
            for other_seed in range(seed + 1, seed + runs)
        ]
        repeat = _run(f"seed {seed} again", refitter.fit(seed, None), split)
        drawn = _draw_and_run(snapshot, recipe, refitter, seed, range(seed + runs, seed + runs + resamples), split)
    return Reruns(
        target=plan.target,
        truth=truth,
        split=split,
        snapshot=snapshot.digest,
        recipe=digest_json(recipe.model_dump(mode="json")),
        repeat=repeat,
        seeds=(first, *others),
        resamples=tuple(drawn),
    )


def draw(rows: int, clusters: Ints | None, rng: np.random.Generator) -> Ints:
    """(rows,) bootstrap counts: Poisson(1) for each cluster, or for each row."""
    if clusters is None:
        return np.asarray(rng.poisson(1.0, rows), dtype=np.int64)
    return np.asarray(rng.poisson(1.0, int(clusters.max()) + 1)[clusters], dtype=np.int64)


def _draw_and_run(
    snapshot: Snapshot, recipe: Recipe, refitter: Refitter, seed: int, seeds: range, split: str
) -> list[Run]:
    if not seeds:
        return []
    rows, clusters = snapshot.splits[recipe.train_split], cluster_codes(snapshot, recipe.train_split)
    drawn = []
    for number, run_seed in enumerate(seeds, start=1):
        counts = draw(rows, clusters, np.random.default_rng([_DRAWS, seed, number]))
        drawn.append(_run(f"seed {run_seed}, draw {number}", refitter.fit(run_seed, counts), split))
    return drawn


def _run(name: str, fitted: Refit, split: str) -> Run:
    log.info("trained: %s", name)
    return Run(name, fitted.digest, fitted.score(split))


def _check(snapshot: Snapshot, recipe: Recipe, seed: int, runs: int, resamples: int, split: str) -> None:
    if runs < 2:
        raise ConfigurationError("a spread needs two models or more", field="runs", value=runs, mend="Use 2 or more")
    if not 0 <= seed <= LARGEST_SEED - runs - resamples:
        raise ConfigurationError(
            "is out of range",
            field="seed",
            value=seed,
            mend=f"Use a whole number from 0 to {LARGEST_SEED - runs - resamples}",
        )
    snapshot.require_split(recipe.train_split)
    snapshot.require_split(split)
    if split == recipe.train_split:
        raise ConfigurationError(
            "is what the model learns from, and says nothing about other rows",
            field="split",
            value=split,
            mend="Name the split that models are judged on",
        )
    has_validation(snapshot, recipe, 1)


def _check_cost(seconds: float, total: int, most: float | None) -> None:
    """Log the expected time of all runs from that of the first, and stop if it exceeds the limit."""
    expected = seconds * total
    log.info("one training took %.1f s, so all %d take about %.0f s", seconds, total, expected)
    if most is not None and expected > most:
        raise ConfigurationError(
            f"{total} trainings of {seconds:.0f} s would take about {expected:.0f} s",
            field="policy.max_seconds",
            value=most,
            mend="Lower runs or policy.resamples, or allow more",
        )
