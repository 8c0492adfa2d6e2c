"""Every setting of a training run, checked before anything is read or spent."""

from gauntlet.orchestration.component import Caching, component


@component(image="evaluation", caching=Caching.PURE)
def check_configuration(
    model_name: str,
    roles: dict,
    data: list = [],
    reader: dict = {},
    split: dict = {},
    schema_inference: dict = {},
    schema_policy: dict = {},
    skew_policy: dict = {},
    integrity_policy: dict = {},
    recipe: dict = {},
    seed: int = 0,
    n_seeds: int = 1,
    stability_runs: int = 0,
    device: str = "auto",
    evaluation_split: str = "test",
    slices: bool = True,
    slice_columns: list = [],
    performance_policy: dict = {},
    slices_policy: dict = {},
    stability_policy: dict = {},
    champion_policy: dict = {},
    features_policy: dict = {},
    behavior_policy: dict = {},
    training_policy: dict = {},
    enforcement_policy: dict = {},
    promote: str = "first",
):
    """Check every setting of a training run, so that a misspelt key or a limit that is none stops it at once.

    Args:
        model_name: Name of the registered model.
        roles: What columns are for.
        data: Files to learn from; their splits are looked at.
        reader: How to read the files.
        split: How rows are divided.
        schema_inference: How a schema is inferred.
        schema_policy: What the schema gate tolerates.
        skew_policy: How far a column may move.
        integrity_policy: Which keys, references, joins, times and labels must hold.
        recipe: What to train.
        seed: Seed of training.
        n_seeds: Models to train.
        stability_runs: Models that the stability gate trains again.
        device: Where to train.
        evaluation_split: The split that models are judged on.
        slices: Whether the pipeline compares slices at all.
        slice_columns: Columns to slice by.
        performance_policy: Minimum performance.
        slices_policy: What may differ between groups.
        stability_policy: What re-training alone may change.
        champion_policy: Margins against the serving model.
        features_policy: How far recomputed features may lie from stored ones.
        behavior_policy: How the behavior file's rates are judged.
        training_policy: What a model trained in seconds must reach.
        enforcement_policy: What stops the run.
        promote: Who becomes champion.
    """
    from gauntlet.preflight import SETTINGS, check_training_settings
    from gauntlet.preflight_rules import Run

    settings = {name: value for name, value in locals().items() if name in SETTINGS}
    beside = Run.of(
        seed=seed,
        n_seeds=n_seeds,
        stability_runs=stability_runs,
        evaluation_split=evaluation_split,
        slice_columns=slice_columns if slices else None,
        data=data,
    )
    check_training_settings(settings, model_name=model_name, promote=promote, device=device, run=beside)
