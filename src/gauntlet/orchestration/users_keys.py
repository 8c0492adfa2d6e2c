"""What a user calls the parameters of a component: errors speak of those, and not of names inside.

A gate's settings are its ``policy``; whoever runs a pipeline writes ``slices_policy``. A test holds this table against
the wiring of the compiled pipelines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from gauntlet.errors import GauntletError
from gauntlet.gates import GATES

_ENFORCEMENT = {"policy": "enforcement_policy"}
_SPLIT = {"split": "evaluation_split"}
_GATES = {gate.runs_in: {"policy": gate.parameter} for gate in GATES}
USERS_KEYS: Mapping[str, Mapping[str, str]] = {
    **_GATES,
    "infer_schema": {"policy": "schema_inference", "curated": "curated_schema"},
    "enforce_gates": _ENFORCEMENT,
    "summarize_gates": _ENFORCEMENT,
    "register_model": _ENFORCEMENT,
    "batch_predict": _SPLIT,
    "check_training": {**_GATES["check_training"], **_SPLIT},
    "check_integrity": {**_GATES["check_integrity"], "tables": "reference_tables"},
    "measure_stability": {**_GATES["measure_stability"], **_SPLIT, "runs": "stability_runs"},
    "check_features": {**_GATES["check_features"], **_SPLIT, "stored": "stored_features"},
    "check_behavior": {**_GATES["check_behavior"], **_SPLIT, "suite": "behavior_suite"},
    "check_serving": {**_GATES["check_serving"], "model_name": "served_as"},
    "shadow": {**_GATES["shadow"], "seconds": "shadow_seconds"},
    "rollout_canary": {"plan": "rollout_plan"},
    "verify_deployment": {"plan": "rollout_plan"},
}
"""Component → its parameter → the pipelines' parameter, where the two differ."""


def in_users_keys(error: GauntletError, component: str) -> GauntletError:
    """The error in the words of whoever runs the pipeline.

    Args:
        error: as the library raised it.
        component: function name of the component.
    """
    keys = USERS_KEYS.get(component, {})
    head, rest = re.fullmatch(r"(\w*)(.*)", error.field or "", re.DOTALL).groups()  # type: ignore[union-attr]
    # A metric is one that the policy names; what resolves it knows no more.
    known = {**keys, "metric": keys.get("policy", "metric")} if not rest else keys
    error.field = known.get(head, head) + rest if error.field else error.field
    if error.mend and "policy" in keys:
        error.mend = re.sub(r"\bpolicy\.(?=[a-z_])", f"{keys['policy']}.", error.mend)
    return error
