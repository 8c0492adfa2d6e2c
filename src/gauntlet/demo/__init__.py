"""Synthetic data with a known mechanism, for the demo, the tests and the benchmarks."""
