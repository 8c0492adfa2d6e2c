"""What must hold of feature code whatever it computes: properties, each tried on a bounded sample of rows.

    determinism           the same rows give the same features again, and in another process
    one_row               a row alone gives what it gives in a batch
    order                 permuted rows give permuted features
    point_in_time         later rows do not change the features of earlier ones
    unseen                a category nobody saw breaks nothing, and no other row
    nulls                 nor does a missing value, column by column and in all at once
    extremes              nor do zero, huge and infinite numbers
    parquet               features survive a Parquet file, and rows that came through one give the same features

``checks.check_properties`` tries them all. Each property is a function of its own, from a transform and rows to what it
found (``comparing.Difference``, ``hostile.Mishap``); ``wording`` says it in sentences.
"""
