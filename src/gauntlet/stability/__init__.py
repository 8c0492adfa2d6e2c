"""Stability gate: retraining variance, from repeated trainings of one recipe.

reruns      trains: the same seed twice, other seeds, resampled training rows
variance    spread over runs as standard deviations with intervals
agreement   compares two runs on the same rows: changed scores, flipped decisions
gate        checks them against a policy, and writes what ``compare_champion`` reads
"""
