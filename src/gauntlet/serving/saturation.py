"""The highest rate a target keeps: a search over runs of load, each judged by the same limits."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gauntlet.errors import ConfigurationError
from gauntlet.serving.measured import Summary


@dataclass(frozen=True)
class Limits:
    """What a target must hold at a rate to be said to keep it.

    Attributes:
        p99: seconds of latency from the intended start; None for no limit.
        error_share: of all requests, in [0, 1).
    """

    p99: float | None = None
    error_share: float = 0.001

    def __post_init__(self) -> None:
        if self.p99 is not None and not self.p99 > 0:
            raise ConfigurationError("must be positive", field="limits.p99", value=self.p99, mend="Give seconds")
        if not 0 <= self.error_share < 1:
            raise ConfigurationError(
                "lies outside [0, 1)", field="limits.error_share", value=self.error_share, mend="Give a share"
            )

    def broken_by(self, run: Summary) -> tuple[str, ...]:
        """What a run breaks, a sentence each; empty when the rate is kept. An invalid run keeps nothing."""
        found = list(run.faults)
        if self.p99 is not None and not run.latency[99] <= self.p99:
            found.append(f"p99 of {run.latency[99] * 1e3:,.1f} ms is above the limit of {self.p99 * 1e3:,.1f} ms.")
        if run.error_share > self.error_share:
            found.append(f"{run.error_share:.2%} of requests failed, above the limit of {self.error_share:.2%}.")
        return tuple(found)


@dataclass(frozen=True)
class Trial:
    """One run of the search: its rate, and what it broke (empty: kept)."""

    rate: float
    broke: tuple[str, ...]

    @property
    def kept(self) -> bool:
        """The rate was kept."""
        return not self.broke


@dataclass(frozen=True)
class Search:
    """Where to look, in requests per second.

    Attributes:
        start: first rate tried.
        lowest: below this the search gives up.
        highest: above this nothing is tried.
        precision: the answer is within this share of the true point, as far as runs repeat themselves.
        attempts: a rate counts as broken once so many runs broke it, as kept once one kept it: a single stall of a busy
            machine must not pass for saturation.
        most_trials: runs after which the search ends as it stands, its bracket wider than the precision; None for no
            limit.
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
                "lies outside (0, 1)", field="precision", value=self.precision, mend="Give a share such as 0.05"
            )
        if self.attempts < 1:
            raise ConfigurationError("must be at least 1", field="attempts", value=self.attempts, mend="Give 1 or more")
        if self.most_trials is not None and self.most_trials < 1:
            raise ConfigurationError(
                "must be at least 1", field="most_trials", value=self.most_trials, mend="Give 1 or more, or None"
            )


@dataclass(frozen=True)
class Saturation:
    """The end of a search.

    Attributes:
        kept: highest rate that was kept; None if none was.
        broken: lowest rate above it that was not; None if every rate up to the highest was kept.
        broke: what was broken there, last time.
        trials: all runs in their order.
    """

    kept: float | None
    broken: float | None
    broke: tuple[str, ...]
    trials: tuple[Trial, ...]


def next_rate(trials: Sequence[Trial], search: Search) -> float | None:
    """The rate to try next; None when the search is over.

    Doubles while rates are kept, halves while none is, then halves the bracket on a log scale until it is narrower than
    the precision. A rate that broke is tried again until it is kept or has had its attempts. Ends when trials run out.

    Args:
        trials: all runs so far, in any order.
        search: where to look.
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
    """The highest rate that some run kept, and above it the lowest that none did; None where there is none.

    Rates above the first broken one do not count, whatever they showed.
    """
    kept = {trial.rate for trial in trials if trial.kept}
    broken = min((trial.rate for trial in trials if trial.rate not in kept), default=None)
    return max((rate for rate in kept if broken is None or rate < broken), default=None), broken


def saturation(
    measure: Callable[[float], Summary], limits: Limits | None = None, search: Search | None = None
) -> Saturation:
    """Search the highest rate that a target keeps.

    A rate that the generator itself cannot keep is reported as broken, in those words: then the target's own limit is
    somewhere above.

    Args:
        measure: runs a load of that many requests per second and summarises it, p99 included.
        limits: what must hold.
        search: where to look.
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
