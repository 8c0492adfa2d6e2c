"""Delivery: from a registered version to all of production's traffic, in analysed steps, with automatic rollback.

release             a registry version as a release that a target can serve
context             service, judge, plans and clock of one rollout
deployment          staging, rollout and rollback from end to end
post_deployment     the check of a promoted version in the days after
emergency_rollback  rollback where the journal cannot be written or read
preflight           obstacles to a rollout, found before it begins
rollout/            state, decision, controller, journal, events, lease, approvals, timeline
shadow/             mirrored traffic: the gate and the run
analysis/           sequential analysis of counters: tests, power, alpha, summary (docs/canary.md, 9)
evidence/           the statistics below it: pure functions over counts (docs/canary.md)
counters/           raw counters of both versions, from Prometheus or from the servers
targets/            where versions run: a local service, or an InferenceService of KServe
"""
