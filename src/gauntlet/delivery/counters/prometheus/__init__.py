"""Counters as Prometheus keeps them, or as a server shows them to Prometheus.

exposition   a server's ``/metrics`` page to samples
families     which series mean what, and samples to ``Counters``
client       a Prometheus, asked for values at one instant
queries      PromQL out of queries/*/*.promql
meter        ``CounterSource`` on a Prometheus, and a team's own queries
"""
