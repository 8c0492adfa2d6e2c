"""Faults that the demo can plant, and the gate that must stop each.

A fault of training changes the data or recipe of the second quarter's model; a fault of production changes how the
finished model behaves there. Each is a change that is made in good faith.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gauntlet.demo.loans import NO_FAULTS, Faults, generate, write_csv

SCORECARD = "gauntlet.demo.scorecard"
FIRST, SECOND = 1, 2


@dataclass(frozen=True)
class Materials:
    """Settings of the demo's data.

    Attributes:
        folder: folder of the data.
        rows: applications a quarter.
        seed: determines all data.
        python: interpreter for the lender's own code.
    """

    folder: Path
    rows: int
    seed: int
    python: Path

    def applications(self, span: int, faults: Faults = NO_FAULTS) -> Path:
        """Write a quarter's applications as CSV."""
        path = self.folder / f"loans-{span}.csv"
        write_csv(generate(span, self.rows, self.seed, faults), str(path))
        return path.resolve()

    def requests(self, span: int, faults: Faults = NO_FAULTS) -> Path:
        """Write a sample of a quarter's requests as CSV: applications without outcome."""
        path = self.folder / f"requests-{span}.csv"
        write_csv(generate(span, self.rows // 2, self.seed + 1, faults, label=False), str(path))
        return path.resolve()

    def stored(self, span: int, features: str) -> Path:
        """Write the stored features of a quarter, by the feature code of that quarter."""
        path = self.folder / f"stored-{span}.parquet"
        words = ["--features", features, "--data", str(self.applications(span)), "--out", str(path)]
        subprocess.run([str(self.python), "-m", SCORECARD, *words], check=True)  # noqa: S603 - our own module
        return path.resolve()


Changes = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """Fault to plant.

    Attributes:
        words: description for readers.
        gate: the gate that must stop it.
        plant: quarter and materials → the parameters of its training run that differ from the example's; ``None`` for a
            fault of production.
    """

    words: str
    gate: str
    plant: Callable[[int, Materials], Changes] | None = None


def merged(parameters: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """Merge changes into an example's parameters, key by key within blocks."""

    def change(name: str, value: Any) -> Any:
        return {**parameters.get(name, {}), **value} if isinstance(value, dict) else value

    return {**parameters, **{name: change(name, value) for name, value in changes.items()}}


def sound(span: int, materials: Materials) -> Changes:
    """Parameters of a quarter without a fault."""
    return {"data": [_file(materials.applications(span))]}


def _normalization(span: int, materials: Materials) -> Changes:
    features = "income_normalized" if span == SECOND else "as_recorded"
    changes = {**sound(span, materials), "recipe": _scorecard(features)}
    if span == SECOND:
        changes["history"] = [_file(materials.applications(FIRST), split="quarter-1")]
        changes["stored_features"] = [
            _file(materials.stored(FIRST, "as_recorded"), split="quarter-1"),
            _file(materials.stored(SECOND, features), split="quarter-2"),
        ]
    return changes


def _golden(span: int, materials: Materials) -> Changes:
    features = "payments_cleaned" if span == SECOND else "as_recorded"
    return {**sound(span, materials), "recipe": _scorecard(features)}


def _bias(span: int, materials: Materials) -> Changes:
    if span == FIRST:
        return sound(span, materials)
    biased = Faults(bias={("sex", "female"): -0.9, ("sex", "male"): 0.7})
    return {
        "data": [_file(materials.applications(span, biased))],
        "roles": {"exclude": ["age", "community"]},
    }


def _skew(span: int, materials: Materials) -> Changes:
    if span == FIRST:
        return sound(span, materials)
    gross = Faults(scale={"debt_ratio": 0.7})
    return {**sound(span, materials), "serving_data": [_file(materials.requests(span, gross))]}


def _noise(span: int, materials: Materials) -> Changes:
    # Few trees on few rows each: models differ a lot between seeds.
    parameters = {
        "n_estimators": 12,
        "learning_rate": 0.5,
        "max_depth": 2,
        "subsample": 0.1,
        "colsample_bytree": 0.25,
    }
    return {
        **sound(span, materials),
        "recipe": {"parameters": parameters, "early_stopping_rounds": 0},
        "seed": 12 if span == SECOND else 7,
        "champion_policy": {"require_improvement": True},
    }


def _leak(span: int, materials: Materials) -> Changes:
    if span == FIRST:
        return sound(span, materials)
    return {"data": [_file(materials.applications(span, Faults(leak=True)))]}


def _scorecard(features: str) -> dict[str, Any]:
    return {"trainer": f"{SCORECARD}:train", "options": {"features": features}}


def _file(path: Path, **more: str) -> dict[str, str]:
    return {"uri": str(path), **more}


FAULTS: Mapping[str, Fault] = {
    "normalization": Fault(
        "the feature code now normalizes income, and nobody touches the features stored last quarter",
        "check_features",
        _normalization,
    ),
    "bias": Fault("past decisions were harder on women, and the model may see who is one", "evaluate_slices", _bias),
    "skew": Fault("serving computes the debt ratio from gross income, training from net", "detect_skew", _skew),
    "noise": Fault("somebody tried seeds until the model looked better than the champion", "compare_champion", _noise),
    "leak": Fault("a new column counts the calls made to collect the loan", "check_integrity", _leak),
    "golden": Fault("six late payments and more are now read as not known", "check_behavior", _golden),
    "slow": Fault("in production, each answer of the new version comes 200 ms late", "rollout"),
    "errors": Fault("in production, the new version fails for one applicant in eight", "rollout"),
    "wrong": Fault("in production, the new version is quick, healthy, and decides otherwise", "rollout"),
}
