"""Knative mode: one InferenceService whose revisions share the requests by ``canaryTrafficPercent``.

target   I/O; view: the state of the objects; steps: the next change (both without I/O)
"""
