"""Numbers on predictions: estimates, intervals and decisions, as pure functions over arrays.

Start with ``evaluate``: is a model good enough, and in every slice of the rows? ``predictions_of`` and ``compare`` hold
a challenger against a champion on the same rows.

>>> import numpy as np
>>> from gauntlet.evaluation import evaluate
>>> rng = np.random.default_rng(0)
>>> region, noise = (np.repeat(v, [1200, 600, 200]) for v in (["north", "south", "west"], [0.2, 0.7, 0.3]))
>>> label = rng.random(2000) < 0.4
>>> score = np.clip(0.3 + 0.4 * label + noise * rng.standard_normal(2000), 0, 1)
>>> demands = {"metrics": {"auc": {"min": 0.75}}}
>>> limits = {"performance": {"accuracy": {"max_gap": 0.1}}}
>>> result = evaluate(label, score, slices={"region": region}, performance_policy=demands, slices_policy=limits)
>>> print(result.performance.verdict.summary)
AUC is 0.798 (95% interval 0.776 to 0.818), above the required 0.75.
>>> for check in result.slices.verdict.checks:
...     print(f"{check.status}: {check.reason}")
fail: region=south: accuracy is 21 points lower than for the rest (60% against 82%; 95% interval −27 to −16 points),
more than the 10 points allowed.
inconclusive: region=west: accuracy is 3 points lower than for the rest (72% against 76%; 95% interval −11 to 4
points), too uncertain to tell whether it is within the 10 points allowed; about 600 rows of this slice would tell.
pass: region=north: accuracy is 19.9 points higher than for the rest (83.4% against 63.5%; 95% interval 15.2 to 24.6
points), within the 10 points allowed.

The road from rows to a decision, each step one module:

    sample.sample      check and hold the rows of one model
    metrics.resolve    which metrics, with direction, range and influence
    slices             partitions of the rows: columns, crossings, numeric bins
    panel.measure      every model x slice x metric, with one joint covariance
    families           levels, gaps and ratios between groups, paired differences of models
    intervals          each statistic's interval, one at a time or all at once (simultaneous)
    power              how many rows would have settled it
"""

from gauntlet.lazy import lazy_exports

__all__ = ["ChampionPolicy", "compare", "evaluate", "predictions_of"]

TYPE_CHECKING = False  # typing's own would be the only reason to import typing
if TYPE_CHECKING:
    from gauntlet.evaluation.arrays import evaluate, predictions_of
    from gauntlet.evaluation.comparison import compare
    from gauntlet.evaluation.policies import ChampionPolicy
else:
    __getattr__ = lazy_exports(
        __name__,
        {
            "ChampionPolicy": "gauntlet.evaluation.policies",
            "compare": "gauntlet.evaluation.comparison",
            "evaluate": "gauntlet.evaluation.arrays",
            "predictions_of": "gauntlet.evaluation.arrays",
        },
    )
