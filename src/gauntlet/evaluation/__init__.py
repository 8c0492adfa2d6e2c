"""Numbers on predictions: estimates, intervals and decisions, as pure functions over arrays.

The road from rows to a decision, each step one module:

    sample.sample      check and hold the rows of one model
    metrics.resolve    which metrics, with direction, range and influence
    slices             partitions of the rows: columns, crossings, numeric bins
    panel.measure      every model x slice x metric, with one joint covariance
    families           levels, gaps and ratios between groups, paired differences of models
    intervals          each statistic's interval, one at a time or all at once (simultaneous)
    power              how many rows would have settled it
"""
