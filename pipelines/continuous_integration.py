"""What a pull request has to get through, in under two minutes, on a sample of the data."""

from components.evaluation.check_configuration import check_configuration
from components.model.check_behavior import check_behavior
from components.model.check_features import check_features
from components.model.check_training import check_training
from components.model.train_model import train_model
from pipelines.shared.data_tasks import data_tasks
from pipelines.shared.gate_tasks import enforced

from gauntlet.orchestration.definition import pipeline


@pipeline(name="continuous-integration")
def continuous_integration(
    data: list,
    roles: dict,
    model_name: str,
    rows: int = 10000,
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
    integrity_policy: dict = {},
    recipe: dict = {},
    seed: int = 0,
    device: str = "auto",
    evaluation_split: str = "test",
    training_policy: dict = {},
    features_policy: dict = {},
    behavior_suite: list = [],
    behavior_policy: dict = {},
    enforcement_policy: dict = {},
):
    """Try a change of code, data or settings on a sample: is anything broken that no unit test sees?

    Args:
        data: Files to learn from, [{"uri": "gs://bucket/*.csv", "split": "test"}]; a file with a split is that split.
        roles: What columns are for, {"label": "Y", "key": [...], "weight": ..., "cluster": ..., "exclude": [...]}.
        model_name: Name of the registered model, whose champion the features are compared with.
        rows: Rows of the sample, about; the same ones every time.
        reader: How to read the files: types, missing values, value mappings, derived columns.
        split: How rows are divided, by a stable hash or by time; default 70 / 15 / 15 by hash.
        serving_data: Logged serving requests to hold against the schema; none by default.
        reference_tables: Tables that the data refer to, [{"uri": ..., "table": "customers"}]; none by default.
        history: Raw rows of earlier spans, [{"uri": ..., "split": "2024-Q1"}], to replay through the feature code.
        stored_features: What the feature store keeps of those rows and of new ones; keyed by the roles' key and time.
        feature_code: The team's feature code as module:function; by default the transform inside the model.
        curated_schema: The schema file the team keeps, [{"uri": "gs://bucket/schema.pbtxt"}]; inferred when absent.
        schema_inference: How a schema is inferred when none is curated: presence, ranges, domains.
        schema_policy: What the schema gate tolerates.
        integrity_policy: Which keys, references, joins, times and labels must hold, and how far.
        recipe: How to train: hyperparameters, early stopping, features, or the team's own module:function.
        seed: Seed of training.
        device: Where to train: auto, cuda (refused when absent) or cpu.
        evaluation_split: The split that models are judged on.
        training_policy: What a model trained in seconds must reach, {"floor": {"auc": {"min": 0.7}}}.
        features_policy: How far recomputed features may lie from stored ones, and what else feature code must keep.
        behavior_suite: The team's behavior file, [{"uri": "behavior.yaml"}]; none by default.
        behavior_policy: How the behavior file's rates are judged.
        enforcement_policy: What an inconclusive gate does, by gate.
    """
    configuration = check_configuration(
        model_name=model_name,
        roles=roles,
        data=data,
        reader=reader,
        split=split,
        schema_inference=schema_inference,
        schema_policy=schema_policy,
        integrity_policy=integrity_policy,
        recipe=recipe,
        seed=seed,
        device=device,
        evaluation_split=evaluation_split,
        slices=False,
        training_policy=training_policy,
        features_policy=features_policy,
        behavior_policy=behavior_policy,
        enforcement_policy=enforcement_policy,
    )

    # A sample of the data, and of what was recorded before. Can a model be made from them?
    tasks = data_tasks(
        configuration,
        data=data,
        roles=roles,
        model_name=model_name,
        reader=reader,
        split=split,
        serving_data=serving_data,
        reference_tables=reference_tables,
        history=history,
        stored_features=stored_features,
        behavior_suite=behavior_suite,
        curated_schema=curated_schema,
        schema_inference=schema_inference,
        schema_policy=schema_policy,
        integrity_policy=integrity_policy,
        rows=rows,
    )
    data_gate = enforced(
        "before training", [tasks.schema_check, tasks.integrity_check], name="data-gates", policy=enforcement_policy
    )

    # Does the training code learn, and does what it makes behave?
    training_check = check_training(
        snapshot=tasks.snapshot,
        schema=tasks.schema,
        recipe=recipe,
        seed=seed,
        device=device,
        split=evaluation_split,
        policy=training_policy,
    ).after(data_gate)
    model = train_model(
        snapshot=tasks.snapshot,
        schema=tasks.schema,
        recipe=recipe,
        seed=seed,
        device=device,
        experiment="continuous-integration",
    ).after(data_gate)
    features_check = check_features(
        model=model.outputs["model"],
        champion=tasks.champion.outputs["champion"],
        snapshot=tasks.snapshot,
        feature_code=feature_code,
        split=evaluation_split,
        policy=features_policy,
        **tasks.past,
    )
    behavior = []
    if tasks.suite:
        behavior_check = check_behavior(
            model=model.outputs["model"],
            snapshot=tasks.snapshot,
            split=evaluation_split,
            policy=behavior_policy,
            **tasks.suite,
        )
        behavior = [behavior_check]
    enforced(
        "before merging",
        [training_check, features_check, *behavior],
        name="model-gates",
        policy=enforcement_policy,
    )
