"""Plots for reports; templates call them as ``plots.<name>``.

Each returns one inline, escaped ``<svg>`` as ``Markup``, accepts any floats (missing, NaN and infinite values are
marked or left out), and needs no script and no network.
"""

from gauntlet.reports.curves import CalibrationBin, Series, calibration, curve, sparkline
from gauntlet.reports.distribution import bars, histogram_pair
from gauntlet.reports.flow import Edge, Node, flow
from gauntlet.reports.forest import ForestRow, forest, interval_bar
from gauntlet.reports.history import Line, history
from gauntlet.reports.matrix import matrix
from gauntlet.reports.ramp import Mark, Stretch, ramp
from gauntlet.reports.relation import relation
from gauntlet.reports.svg import glyph, look
from gauntlet.reports.tails import TailMark, Trial, scatter, tail, trials
from gauntlet.reports.thumbnail import thumbnail

__all__ = [
    "CalibrationBin",
    "Edge",
    "ForestRow",
    "Line",
    "Mark",
    "Node",
    "Series",
    "Stretch",
    "TailMark",
    "Trial",
    "bars",
    "calibration",
    "curve",
    "flow",
    "forest",
    "glyph",
    "histogram_pair",
    "history",
    "interval_bar",
    "look",
    "matrix",
    "ramp",
    "relation",
    "scatter",
    "sparkline",
    "tail",
    "thumbnail",
    "trials",
]
