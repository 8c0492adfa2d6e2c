"""The backends of a rollout on a local service: clients of the host of its folder.

host_client    HTTP client of the host
target         the actions of a rollout
service        ``local:FOLDER`` to a Service; the service outside rollouts
journal_store  journals in files
lease          a lock that the kernel releases
counters       counters of router and servers
mirror         mirrored requests
"""
