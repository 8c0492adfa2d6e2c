"""Counters as Prometheus keeps them, or as a server shows them to Prometheus.

exposition   a server's ``/metrics`` page to samples
families     which series mean what, and samples to ``metering.Counters``
"""
