"""Counters as Prometheus keeps them, or as a server exposes them to Prometheus.

exposition   a server's ``/metrics`` page to samples
families     which series mean what, and samples to ``Counters``
client       instant queries to a Prometheus
source       ``CounterSource`` on a Prometheus by the queries of queries/*/*.promql, and custom queries
"""
