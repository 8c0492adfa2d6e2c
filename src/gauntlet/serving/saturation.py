"""Saturation search: the highest request rate that a target sustains within limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gauntlet.errors import ConfigurationError
from gauntlet.serving.load_result import Summary


@dataclass(frozen=True)
class Limits:
    """Limits within which a target sustains a rate.

    Attributes:
        p99: limit of the p99 latency from the intended start, in seconds; None for no limit.
        error_share: limit of the share of failed requests, in [0, 1).
    """

    p99: float | None = None
    error_share: float = 0.001

    def __post_init__(self) -> None:
        if self.p99 is not None and not self.p99 > 0:
            raise ConfigurationError("must be positive", field="limits.p99", value=self.p99, mend="Give seconds")
        if not 0 <= self.error_share < 1:
            raise ConfigurationError(
                "is outside [0, 1)", field="limits.error_share", value=self.error_share, mend="Give a share"
            )

    def broken_by(self, run: Summary) -> tuple[str, ...]:
        """List the limits that a run breaks, one sentence each; empty if the rate is sustained. Faults count too."""
        broken = list(run.faults)
        if self.p99 is not None and not run.latency[99] <= self.p99:
            broken.append(f"p99 of {run.latency[99] * 1e3:,.1f} ms is above the limit of {self.p99 * 1e3:,.1f} ms.")
        if run.error_share > self.error_share:
            broken.append(f"{run.error_share:.2%} of requests failed, above the limit of {self.error_share:.2%}.")
        return tuple(broken)


@dataclass(frozen=True)
class Trial:
    """One run of the search: its rate, and the limits it broke (empty: sustained)."""

    rate: float
    broke: tuple[str, ...]

    @property
    def kept(self) -> bool:
        """Whether the rate was sustained."""
        return not self.broke


@dataclass(frozen=True)
class Search:
    """Settings of the search; rates in requests per second.

    Attributes:
        start: first rate.
        lowest: lowest rate to try.
        highest: highest rate to try.
        precision: relative width of the final bracket.
        attempts: a rate counts as broken after so many failed runs, as sustained after one successful run: a single
            stall of a busy machine is not saturation.
        most_trials: limit of runs, after which the bracket may be wider than the precision; None for no limit.
    """

    start: float = 100.0
    lowest: float = 1.0
    highest: float = 20_000.0
    precision: float = 0.05
    attempts: int = 2
    most_trials: int | None = None

    def __post_init__(self) -> None:
        if not 0 < self.lowest <= self.start <= self.highest:
            raise ConfigurationError(
                "must hold 0 < lowest ≤ start ≤ highest", field="start", value=self.start, mend="Order the three rates"
            )
        if not 0 < self.precision < 1:
            raise ConfigurationError(
                "is outside (0, 1)", field="precision", value=self.precision, mend="Give a share such as 0.05"
            )
        if self.attempts < 1:
            raise ConfigurationError("must be at least 1", field="attempts", value=self.attempts, mend="Give 1 or more")
        if self.most_trials is not None and self.most_trials < 1:
            raise ConfigurationError(
                "must be at least 1", field="most_trials", value=self.most_trials, mend="Give 1 or more, or None"
            )


@dataclass(frozen=True)
class Saturation:
    """Result of a saturation search.

    Attributes:
        kept: highest sustained rate; None if there is none.
        broken: lowest rate above it that was not sustained; None if every rate up to the highest was.
        broke: limits broken there in the last run.
        trials: all runs in their order.
    """

    kept: float | None
    broken: float | None
    broke: tuple[str, ...]
    trials: tuple[Trial, ...]


def next_rate(trials: Sequence[Trial], search: Search) -> float | None:
    """Choose the next rate; None when the search is over.

    Doubles while rates are sustained, halves while none is, then bisects the bracket on a log scale until it is
    narrower than the precision. A broken rate is retried up to ``attempts`` times.

    Args:
        trials: all runs so far, in any order.
        search: settings of the search.
    """
    if not trials:
        return search.start
    if search.most_trials is not None and len(trials) >= search.most_trials:
        return None
    for rate in {trial.rate for trial in trials}:
        if _undecided(trials, rate, search.attempts):
            return rate
    kept, broken = bracket(trials)
    if broken is None:
        assert kept is not None
        return None if kept >= search.highest else min(2 * kept, search.highest)
    if kept is None:
        return None if broken <= search.lowest else max(broken / 2, search.lowest)
    return None if broken <= kept * (1 + search.precision) else (kept * broken) ** 0.5


def bracket(trials: Sequence[Trial]) -> tuple[float | None, float | None]:
    """Bracket the saturation point: highest sustained rate, and lowest broken rate above it, or None.

    Rates above the lowest broken one are ignored.
    """
    kept = {trial.rate for trial in trials if trial.kept}
    broken = min((trial.rate for trial in trials if trial.rate not in kept), default=None)
    return max((rate for rate in kept if broken is None or rate < broken), default=None), broken


def saturation(
    measure: Callable[[float], Summary], limits: Limits | None = None, search: Search | None = None
) -> Saturation:
    """Search the highest rate that a target sustains.

    A rate that the generator itself cannot keep counts as broken, with that reason: the target's own limit is then
    higher.

    Args:
        measure: runs a load of that many requests per second and summarises it, p99 included.
        limits: limits to hold.
        search: settings of the search.
    """
    limits, search = limits or Limits(), search or Search()
    trials: list[Trial] = []
    while (rate := next_rate(trials, search)) is not None:
        trials.append(Trial(rate, limits.broken_by(measure(rate))))
    kept, broken = bracket(trials)
    broke = next((trial.broke for trial in reversed(trials) if trial.rate == broken), ())
    return Saturation(kept=kept, broken=broken, broke=broke, trials=tuple(trials))


def _undecided(trials: Sequence[Trial], rate: float, attempts: int) -> bool:
    runs = [trial for trial in trials if trial.rate == rate]
    return len(runs) < attempts and not any(trial.kept for trial in runs)
