"""Counters of both versions: raw, per pod, at one instant.

source        Counters, Reading, CounterSource
prometheus/   counters from a Prometheus, or from a page in its format
"""
