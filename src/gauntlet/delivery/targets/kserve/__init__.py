"""An InferenceService as a target, in Knative or Standard mode.

resources    the kinds read and written, and the names of their objects
api          a thin client: raw merge patches, conflicts, retries where they are safe
predictors   a model version in ``spec.predictor``, and merge patches; no I/O
before       what a service was before its rollout: written before the first change
knative      the target in Knative mode; ``revisions`` what it sees, ``revision_steps`` what it does next: no I/O there
standard     the target in Standard mode; ``variants`` what it sees, ``variant_steps`` what it does next: no I/O there
routes       weights and mirrors of an HTTPRoute; no I/O
ledger lease the journal in a ConfigMap, and who may write it
place modes opening   the service outside rollouts, and how it is opened
preflight    what stands in the way of a rollout
"""
