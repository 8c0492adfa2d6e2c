"""Statistics of single numbers, in plain Python: the only home of these formulas.

``gauntlet.evaluation`` has some of them for arrays, at the tails of simultaneous intervals; a test holds that they
agree. Nothing here needs NumPy or SciPy: the data image has no SciPy, and a page should not load it for two numbers.
"""
