"""What a pull request has to get through, in under two minutes, on a sample of the data."""

from components.data.check_integrity import check_integrity
from components.data.compute_statistics import compute_statistics
from components.data.import_snapshot import import_snapshot
from components.data.infer_schema import infer_schema
from components.data.resolve_source import resolve_source
from components.data.validate_schema import validate_schema
from components.delivery.fetch_champion import fetch_champion
from components.evaluation.check_configuration import check_configuration
from components.evaluation.enforce_gates import enforce_gates
from components.model.check_behavior import check_behavior
from components.model.check_features import check_features
from components.model.check_training import check_training
from components.model.train_model import train_model

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
        reader=reader,
        split=split,
        schema_inference=schema_inference,
        schema_policy=schema_policy,
        integrity_policy=integrity_policy,
        recipe=recipe,
        device=device,
        training_policy=training_policy,
        features_policy=features_policy,
        behavior_policy=behavior_policy,
        enforcement_policy=enforcement_policy,
    )

    # A sample of the data, and of what was recorded before.
    source = resolve_source(sources=data).after(configuration)
    snapshot = import_snapshot(pinned=source.output, roles=roles, reader=reader, split=split, most_rows=rows)
    history_source = resolve_source(sources=history).after(configuration).set_display_name("resolve-history")
    past = import_snapshot(
        pinned=history_source.output, roles=roles, reader=reader, purpose="history", most_rows=rows
    ).set_display_name("import-history")
    stored_source = (
        resolve_source(sources=stored_features).after(configuration).set_display_name("resolve-stored-features")
    )
    stored = import_snapshot(pinned=stored_source.output, roles=roles, purpose="history").set_display_name(
        "import-stored-features"
    )
    suite = resolve_source(sources=behavior_suite).after(configuration).set_display_name("resolve-behavior-suite")
    champion = fetch_champion(model_name=model_name).after(configuration)

    # Is this data that a model can be made from?
    statistics = compute_statistics(snapshot=snapshot.outputs["snapshot"])
    schema_source = (
        resolve_source(sources=curated_schema).after(configuration).set_display_name("resolve-curated-schema")
    )
    schema = infer_schema(
        statistics=statistics.outputs["statistics"], curated=schema_source.output, policy=schema_inference
    )
    serving_source = (
        resolve_source(sources=serving_data).after(configuration).set_display_name("resolve-serving-source")
    )
    serving_snapshot = import_snapshot(
        pinned=serving_source.output, roles=roles, reader=reader, purpose="serving"
    ).set_display_name("import-serving-snapshot")
    serving_statistics = compute_statistics(snapshot=serving_snapshot.outputs["snapshot"]).set_display_name(
        "compute-serving-statistics"
    )
    schema_check = validate_schema(
        statistics=statistics.outputs["statistics"],
        serving=serving_statistics.outputs["statistics"],
        schema=schema.outputs["schema"],
        policy=schema_policy,
    )
    reference_source = (
        resolve_source(sources=reference_tables).after(configuration).set_display_name("resolve-reference-tables")
    )
    integrity_check = check_integrity(
        snapshot=snapshot.outputs["snapshot"], tables=reference_source.output, policy=integrity_policy
    )
    data_gate = enforce_gates(
        stage="before training",
        first=schema_check.outputs["verdict"],
        second=integrity_check.outputs["verdict"],
        policy=enforcement_policy,
    ).set_display_name("enforce-data-gates")

    # Does the training code learn, and does what it makes behave?
    training_check = check_training(
        snapshot=snapshot.outputs["snapshot"],
        schema=schema.outputs["schema"],
        recipe=recipe,
        seed=seed,
        device=device,
        split=evaluation_split,
        policy=training_policy,
    ).after(data_gate)
    model = train_model(
        snapshot=snapshot.outputs["snapshot"],
        schema=schema.outputs["schema"],
        recipe=recipe,
        seed=seed,
        device=device,
        experiment="continuous-integration",
    ).after(data_gate)
    features_check = check_features(
        model=model.outputs["model"],
        champion=champion.outputs["champion"],
        snapshot=snapshot.outputs["snapshot"],
        history=past.outputs["snapshot"],
        stored=stored.outputs["snapshot"],
        feature_code=feature_code,
        split=evaluation_split,
        policy=features_policy,
    )
    behavior_check = check_behavior(
        model=model.outputs["model"],
        snapshot=snapshot.outputs["snapshot"],
        suite=suite.output,
        split=evaluation_split,
        policy=behavior_policy,
    )
    enforce_gates(
        stage="before merging",
        first=training_check.outputs["verdict"],
        second=features_check.outputs["verdict"],
        third=behavior_check.outputs["verdict"],
        policy=enforcement_policy,
    ).set_display_name("enforce-model-gates")
