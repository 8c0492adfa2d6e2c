"""A local service: real model servers behind a weighted, mirroring router on loopback, in one process and one folder.

spec          the document that says which versions run and what share of the requests each has
transitions   every change a rollout makes to it
server/       the host process: router, model servers, mirror, metrics
client/       the backends of a rollout, for any environment: target, journal store, lease, counters, mirror
"""
