"""Properties that any feature code must have, each tested on a bounded sample of rows.

    determinism           the same rows give the same features again, and in another process
    one_row               a row alone gives what it gives in a batch
    order                 permuted rows give permuted features
    point_in_time         later rows do not change the features of earlier ones
    unseen                an unseen category causes no fault, and does not change other rows
    nulls                 the same for a missing value, column by column and in all columns at once
    extremes              the same for zero, huge and infinite numbers
    parquet               features survive a Parquet file, and rows read from one give the same features

``checks.check_properties`` tests them all. Each test is a function from a transform and rows to its findings
(``comparing.Difference``, ``hostile.Mishap``); ``wording`` makes sentences of them.
"""
