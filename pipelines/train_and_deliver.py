"""From new data to all of production's traffic, every gate in between."""

from pipelines.continuous_delivery import continuous_delivery, finish_rollout
from pipelines.continuous_training import continuous_training

from gauntlet.orchestration.definition import pipeline


@pipeline(name="train-and-deliver", on_exit=finish_rollout)
def train_and_deliver(
    data: list,
    roles: dict,
    model_name: str,
    service: str,
    staging: str,
    requests: list,
    reader: dict = {},
    split: dict = {},
    serving_data: list = [],
    reference_tables: list = [],
    history: list = [],
    stored_features: list = [],
    feature_code: str = "",
    curated_schema: list = [],
    schema_inference: dict = {},
    schema_policy: dict = {},
    skew_policy: dict = {},
    integrity_policy: dict = {},
    recipe: dict = {},
    seed: int = 0,
    n_seeds: int = 3,
    stability_runs: int = 0,
    device: str = "auto",
    evaluation_split: str = "test",
    slice_columns: list = [],
    performance_policy: dict = {},
    slices_policy: dict = {},
    stability_policy: dict = {},
    champion_policy: dict = {},
    features_policy: dict = {},
    behavior_suite: list = [],
    behavior_policy: dict = {},
    enforcement_policy: dict = {},
    served_as: str = "model",
    serving_policy: dict = {},
    shadow_policy: dict = {},
    shadow_seconds: float = 600.0,
    rollout_plan: dict = {},
    analysis: dict = {},
    prometheus: dict = {},
    outcomes: dict = {},
    attempt: str = "",
):
    """Train a model on new data, hold it against every gate, register it, and bring it to production in watched steps.

    Args:
        data: Files to learn from, [{"uri": "gs://bucket/*.csv", "split": "test"}]; a file with a split is that split.
        roles: What columns are for, {"label": "Y", "key": [...], "weight": ..., "cluster": ..., "exclude": [...]}.
        model_name: Name of the registered model.
        service: The service in production, local:FOLDER or kserve:NAMESPACE/NAME.
        staging: A service of its own where the version is tried first.
        requests: Files with rows as callers send them, [{"uri": "gs://bucket/requests.csv"}].
        reader: How to read the files: types, missing values, value mappings, derived columns.
        split: How rows are divided, by a stable hash or by time; default 70 / 15 / 15 by hash.
        serving_data: Logged serving requests to compare the training data with; none by default.
        reference_tables: Tables that the data refer to, [{"uri": ..., "table": "customers"}]; none by default.
        history: Raw rows of earlier spans, [{"uri": ..., "split": "2024-Q1"}], to replay through the feature code.
        stored_features: What the feature store keeps of those rows and of new ones; keyed by the roles' key and time.
        feature_code: The team's feature code as module:function; by default the transform inside the model.
        curated_schema: The schema file the team keeps, [{"uri": "gs://bucket/schema.pbtxt"}]; inferred when absent.
        schema_inference: How a schema is inferred when none is curated: presence, ranges, domains.
        schema_policy: What the schema gate tolerates.
        skew_policy: How far a column may move, from training to serving and since the champion's training data.
        integrity_policy: Which keys, references, joins, times and labels must hold, and how far.
        recipe: How to train: hyperparameters, early stopping, features, or the team's own module:function.
        seed: Seed of training.
        n_seeds: Models trained with different seeds, to measure the variance that training itself brings.
        stability_runs: Models re-trained to see what chance alone changes; 0 takes what n_seeds showed.
        device: Where to train: auto, cuda (refused when absent) or cpu.
        evaluation_split: The split that models are judged on.
        slice_columns: Columns to slice by: the groups that must not be harmed.
        performance_policy: Minimum performance, {"metrics": {"auc": {"min": 0.8}}}.
        slices_policy: What may differ between groups, and by how much.
        stability_policy: What re-training alone may change.
        champion_policy: Margins against the serving model, and what to do when there is none.
        features_policy: How far recomputed features may lie from stored ones, and what else feature code must keep.
        behavior_suite: The team's behavior file, [{"uri": "behavior.yaml"}]; none by default.
        behavior_policy: How the behavior file's rates are judged.
        enforcement_policy: What an inconclusive gate does, by gate.
        served_as: The model's name in the paths of its server.
        serving_policy: What a server must bear in staging, and how much its answers may differ from batch scoring.
        shadow_policy: What a candidate has to show on copies of production's requests.
        shadow_seconds: How long copies are sent at most.
        rollout_plan: Steps, intervals, budgets and approvals.
        analysis: What is measured, the margins and the chance of a false alarm.
        prometheus: A Prometheus to ask, {"address": ..., "selector": {...}}; empty for the service's own.
        outcomes: Where matured labels are read, {"uri": "gs://bucket/labels/", "wrong": ...}; empty for none.
        attempt: Another name gives a version that was taken back another chance.
    """
    given = locals()
    # Registration gives no title here: a version becomes champion once it serves all requests.
    registered = continuous_training.wire(given, promote="never")
    return continuous_delivery.wire(given, version=registered.outputs["Output"])
