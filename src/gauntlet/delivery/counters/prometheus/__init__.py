"""Counters as Prometheus keeps them, or as a server exposes them to Prometheus.

exposition   a server's ``/metrics`` page to samples
families     which series mean what, and samples to ``Counters``
client       instant queries to a Prometheus
queries      PromQL out of queries/*/*.promql
source       ``CounterSource`` on a Prometheus, and custom queries
"""
