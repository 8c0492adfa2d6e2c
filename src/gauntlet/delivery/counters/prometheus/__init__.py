"""Counters from a Prometheus server, or from a page in its exposition format.

exposition   a server's ``/metrics`` page to samples
families     the metric families of the exporters, and their samples to ``Counters``
client       instant queries to a Prometheus
source       ``CounterSource`` on a Prometheus by the queries of queries/*/*.promql, and custom queries
"""
