"""Statistics of others that tests hold ours against: statsmodels and scikit-learn.

They come last on the path and without NumPy and SciPy, so that they compute with those of the image under test. Their
folder is named as Hypothesis knows folders of libraries: in a search it would draw constants from their code.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / ".environments" / "test-tools" / "oracles" / "site-packages"))

from sklearn import metrics
from statsmodels.regression.linear_model import OLS, WLS
from statsmodels.stats._inference_tools import _mover_confint as mover
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import normal_power, normal_sample_size_one_tail
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from statsmodels.stats.weightstats import DescrStatsW

__all__ = [
    "OLS",
    "WLS",
    "DescrStatsW",
    "confint_proportions_2indep",
    "mcnemar",
    "metrics",
    "mover",
    "multipletests",
    "normal_power",
    "normal_sample_size_one_tail",
    "proportion_confint",
]
