"""An InferenceService as a target, in Knative or Standard mode.

resources    the kinds read and written, and the names of their objects
api          a thin client: raw merge patches, conflicts, retries where they are safe
predictors   a model version in ``spec.predictor``, and merge patches; no I/O
before       what a service was before its rollout: written before the first change
knative      the target in Knative mode           revisions   its decisions, from what was read; no I/O
standard     the target in Standard mode          variants    its decisions, from what was read; no I/O
routes       weights and mirrors of an HTTPRoute; no I/O
ledger lease place preflight opening
"""
