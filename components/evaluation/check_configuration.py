"""Every setting of a training run, checked before anything is read or spent."""

from gauntlet.orchestration.component import Caching, component


@component(image="evaluation", caching=Caching.PURE)
def check_configuration(
    model_name: str,
    roles: dict,
    reader: dict = {},
    split: dict = {},
    schema_inference: dict = {},
    schema_policy: dict = {},
    skew_policy: dict = {},
    integrity_policy: dict = {},
    recipe: dict = {},
    n_seeds: int = 1,
    device: str = "auto",
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
    """Check every setting of a training run, so that a misspelt key stops it in its first second.

    Args:
        model_name: Name of the registered model.
        roles: What columns are for.
        reader: How to read the files.
        split: How rows are divided.
        schema_inference: How a schema is inferred.
        schema_policy: What the schema gate tolerates.
        skew_policy: How far a column may move.
        integrity_policy: Which keys, references, joins, times and labels must hold.
        recipe: What to train.
        n_seeds: Models to train.
        device: Where to train.
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

    settings = {name: value for name, value in locals().items() if name in SETTINGS}
    check_training_settings(settings, model_name=model_name, promote=promote, device=device, n_seeds=n_seeds)
