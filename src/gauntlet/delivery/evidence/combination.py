"""Combination of tests: boundaries of one metric, and metrics of one canary."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gauntlet.delivery.evidence.bets import log_mean
from gauntlet.delivery.evidence.counts import Counts
from gauntlet.delivery.evidence.sequential import Direction, Process, log_e_values, restart, update_all
from gauntlet.errors import ConfigurationError, DataError

Panel = Mapping[str, Process]
"""The tests of one metric, by name (boundary, or boundary and side); all in one direction, fixed before the canary."""


def update_panel(panel: Panel, counts: Mapping[str, Counts]) -> dict[str, Process]:
    """Update every test of the panel with one more interval.

    Raises:
        DataError: the interval lacks a test's counts. Leaving one out would choose tests by what they show.
    """
    missing = sorted(set(panel) - set(counts))
    if missing:
        raise DataError("were not counted in this interval", field="counts", value=missing, mend="Count them all")
    return dict(zip(panel, update_all(list(panel.values()), [counts[name] for name in panel]), strict=True))


def restart_panel(panel: Panel) -> dict[str, Process]:
    """Add a start to every test of the panel (``sequential.restart``)."""
    return {name: restart(process) for name, process in panel.items()}


def panel_log_e(panel: Panel) -> float:
    """Logarithm of the panel's evidence.

    Harm: the mean of the tests' E, valid under any dependence (Vovk & Wang 2021). Not worse: the
    least, for a canary has to be shown not worse at every boundary.

    Raises:
        ConfigurationError: the panel is empty, or its tests have different directions.
    """
    directions = {process.test.direction for process in panel.values()}
    if len(directions) != 1:
        raise ConfigurationError(
            "must hold tests of one direction",
            field="panel",
            value=sorted(directions),
            mend="Keep harm and not worse in panels of their own",
        )
    logs = log_e_values(list(panel.values()))
    return float(logs.min() if directions == {Direction.NOT_WORSE} else log_mean(logs))


@dataclass(frozen=True)
class Alarm:
    """The combined test of harm in any metric.

    Attributes:
        raised: whether harm is shown in at least one metric.
        log_e: logarithm of the combined evidence.
        culprits: metrics whose own evidence suffices for their share of α, the strongest first. All of them are
            truly worse, but for a chance of α that any is not. May be empty although the alarm is raised.
        leading: the metric that contributes most.
    """

    raised: bool
    log_e: float
    culprits: tuple[str, ...]
    leading: str


def combine(log_e: Mapping[str, float], weights: Mapping[str, float], *, alpha: float) -> Alarm:
    """Test for harm in any of several metrics: Σ wⱼEⱼ ≥ 1/α; metric j is a culprit where Eⱼ ≥ 1/(α wⱼ).

    Args:
        log_e: metric → logarithm of its evidence of harm.
        weights: metric → its share of α, fixed before the canary; positive, of sum 1.
        alpha: chance of a false alarm over the whole rollout, in (0, 1).

    Raises:
        ConfigurationError: weights are not positive, do not sum to 1, or α is out of range.
        DataError: metrics and weights name different things.
    """
    _check_weights(weights, alpha)
    if set(log_e) != set(weights):
        raise DataError(
            "must name the metrics that have weights",
            field="log_e",
            value=sorted(set(log_e) ^ set(weights)),
            mend="Carry on every metric's process, also through intervals in which it showed nothing",
        )
    shares = {name: log_e[name] + math.log(weights[name]) for name in weights}
    total = float(np.logaddexp.reduce(list(shares.values())))
    ranked = sorted(shares, key=lambda name: -shares[name])
    needed = -math.log(alpha)
    culprits = tuple(name for name in ranked if shares[name] >= needed)
    return Alarm(raised=total >= needed, log_e=total, culprits=culprits, leading=ranked[0])


def _check_weights(weights: Mapping[str, float], alpha: float) -> None:
    _check_alpha(alpha)
    if not weights or not all(weight > 0 for weight in weights.values()) or abs(sum(weights.values()) - 1) > 1e-9:
        raise ConfigurationError(
            "must be positive and sum to 1", field="weights", value=dict(weights), mend="Share α among the metrics"
        )


def _check_alpha(alpha: float) -> None:
    if not 0 < alpha < 1:
        raise ConfigurationError("lies outside (0, 1)", field="alpha", value=alpha, mend="Correct alpha")
