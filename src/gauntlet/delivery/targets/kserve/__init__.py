"""An InferenceService as a target, in Knative or Standard mode.

api            a thin client: raw merge patches, conflicts, retries where they are safe
resources      the kinds read and written, and the names of their objects
modes          the deployment mode of a service
predictors     a model version in ``spec.predictor``, and merge patches; no I/O
knative/       Knative mode: target (I/O), view and steps (no I/O)
standard/      Standard mode: target (I/O), view, steps and routes (no I/O)
saved_state    the state of a service before its rollout, saved before the first change
recovery       a rollout inferred from its InferenceService, without a journal; no I/O
journal_store  the journal in a ConfigMap, manual approvals in its annotations
lease          a coordination.k8s.io Lease
service        the service outside rollouts; connect: ``kserve:NAMESPACE/NAME`` to a Service
preflight      what blocks a rollout
"""
