"""Training check: a smoke test of training code, on models trained in seconds on a sample.

sampling    the sample, the tiny batch, and the sample with its labels shuffled: variants of a snapshot
evidence    trains and scores models
checks      one function per check
gate        all checks, as a verdict
"""
