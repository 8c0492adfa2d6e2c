"""A local service as a rollout's backend: everything talks to the host of its folder.

connect        ``local:FOLDER`` to a Service
host_client    HTTP client of the host
target         the actions of a rollout
service        the service outside rollouts
journal_store  journals in files
lease          a lock that the kernel releases
counters       counters of router and servers
mirror         mirrored requests
"""
