"""From data to a registered model version, with gates before money is spent and before anything is registered."""

from components.data.detect_skew import detect_skew
from components.delivery.register_model import register_model
from components.evaluation.check_configuration import check_configuration
from components.evaluation.compare_champion import compare_champion
from components.evaluation.evaluate_performance import evaluate_performance
from components.evaluation.evaluate_slices import evaluate_slices
from components.model.batch_predict import batch_predict
from components.model.check_behavior import check_behavior
from components.model.check_features import check_features
from components.model.measure_stability import measure_stability
from components.model.train_model import train_model
from kfp import dsl
from pipelines.shared.data_tasks import data_tasks
from pipelines.shared.gate_tasks import enforced

from gauntlet.orchestration.definition import pipeline


@pipeline(name="continuous-training")
def continuous_training(
    data: list,
    roles: dict,
    model_name: str,
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
    promote: str = "first",
):
    """Train a model on new data, hold it against every gate and the champion, and register it.

    Args:
        data: Files to learn from, [{"uri": "gs://bucket/*.csv", "split": "test"}]; a file with a split is that split.
        roles: What columns are for, {"label": "Y", "key": [...], "weight": ..., "cluster": ..., "exclude": [...]}.
        model_name: Name of the registered model.
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
        promote: Who becomes champion: first (only if there is none yet), always, never.

    Returns:
        The task that registers the model; its output is the version.
    """
    # A misspelt key in the last gate's policy should not be found after training.
    configuration = check_configuration(
        model_name=model_name,
        roles=roles,
        data=data,
        reader=reader,
        split=split,
        schema_inference=schema_inference,
        schema_policy=schema_policy,
        skew_policy=skew_policy,
        integrity_policy=integrity_policy,
        recipe=recipe,
        seed=seed,
        n_seeds=n_seeds,
        device=device,
        performance_policy=performance_policy,
        slices_policy=slices_policy,
        stability_policy=stability_policy,
        champion_policy=champion_policy,
        features_policy=features_policy,
        behavior_policy=behavior_policy,
        enforcement_policy=enforcement_policy,
        stability_runs=stability_runs,
        evaluation_split=evaluation_split,
        slice_columns=slice_columns,
        promote=promote,
    )

    # Pin the data, copy them, describe them; and gate 1, before money is spent: are these the data we know?
    # The champion's training statistics stand for "the previous data".
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
    )
    skew_check = detect_skew(
        statistics=tasks.statistics,
        previous=tasks.champion.outputs["statistics"],
        schema=tasks.schema,
        policy=skew_policy,
        **tasks.serving,
    )
    data_gate = enforced(
        "before training",
        [tasks.schema_check, skew_check, tasks.integrity_check],
        name="data-gates",
        policy=enforcement_policy,
    )

    # The champion predicts first: a slice column that is not there, or a champion that cannot read these data, is found
    # before a model is trained.
    champion_predictions = (
        batch_predict(
            model=tasks.champion.outputs["champion"],
            snapshot=tasks.snapshot,
            split=evaluation_split,
            slice_columns=slice_columns,
        )
        .after(data_gate)
        .set_display_name("batch-predict-champion")
    )

    # Train, and let the challenger answer the same rows.
    model = train_model(
        snapshot=tasks.snapshot,
        schema=tasks.schema,
        recipe=recipe,
        seed=seed,
        n_seeds=n_seeds,
        device=device,
        experiment=model_name,
    ).after(champion_predictions)
    challenger_predictions = batch_predict(
        model=model.outputs["model"],
        snapshot=tasks.snapshot,
        split=evaluation_split,
        slice_columns=slice_columns,
    ).set_display_name("batch-predict-challenger")

    # Gate 2, before the registry: good enough, fair enough, not worse than what serves by more than chance would make
    # it, fed what it was trained on, and sound where no average shows it.
    performance_check = evaluate_performance(
        predictions=challenger_predictions.outputs["predictions"], policy=performance_policy
    )
    slices_check = evaluate_slices(predictions=challenger_predictions.outputs["predictions"], policy=slices_policy)
    stability, reruns = {}, []
    if stability_runs or stability_policy:
        measured = measure_stability(
            snapshot=tasks.snapshot,
            schema=tasks.schema,
            challenger=challenger_predictions.outputs["predictions"],
            champion=champion_predictions.outputs["predictions"],
            recipe=recipe,
            seed=seed,
            runs=stability_runs,
            device=device,
            split=evaluation_split,
            policy=stability_policy,
        )
        stability["stability"] = measured.outputs["stability"]
        reruns = [measured]
    champion_check = compare_champion(
        challenger=challenger_predictions.outputs["predictions"],
        champion=champion_predictions.outputs["predictions"],
        policy=champion_policy,
        **stability,
    )
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
    model_gate = enforced(
        "before registering",
        [performance_check, slices_check, champion_check, features_check, *behavior, *reruns],
        name="model-gates",
        earlier=data_gate.outputs["verdicts"],
        policy=enforcement_policy,
    )

    return register_model(
        model=model.outputs["model"],
        snapshot=tasks.snapshot,
        schema=tasks.schema,
        statistics=tasks.statistics,
        verdicts=model_gate.outputs["verdicts"],
        model_name=model_name,
        promote=promote,
        policy=enforcement_policy,
        run=dsl.PIPELINE_JOB_NAME_PLACEHOLDER,
    )
