"""Knative mode: one InferenceService whose revisions share the requests by ``canaryTrafficPercent``.

target   I/O; view: what is there; steps: what to change next (both without I/O)
"""
