"""Component: training a model."""

from kfp.dsl import HTML, Artifact, Dataset, Input, Metrics, Model, Output

from gauntlet.orchestration.component import Caching, component


@component(image="model", caching=Caching.PURE)
def train_model(
    snapshot: Input[Dataset],
    schema: Input[Artifact],
    model: Output[Model],
    metrics: Output[Metrics],
    report: Output[HTML],
    recipe: dict = {},
    seed: int = 0,
    n_seeds: int = 1,
    device: str = "auto",
    experiment: str = "gauntlet",
):
    """Train a scikit-learn pipeline with XGBoost, or a custom trainer, and record the run in MLflow.

    Args:
        snapshot: The data; trains on split train, with early stopping on split validation.
        schema: The schema; its columns are the possible features.
        recipe: Training recipe: {"task", "parameters": {"max_depth", "n_estimators", "learning_rate", ...},
            "early_stopping_rounds", "metric", "features": {"include", "exclude"}, "monotone", "trainer", ...}.
        seed: The model's seed. Equal seeds on equal data give the same model, byte for byte.
        n_seeds: Number of models to train that differ only by seed, to measure the seed variance of the metrics.
        device: auto (a GPU if there is one), cuda (an error without one) or cpu.
        experiment: The MLflow experiment of the run, on the server of MLFLOW_TRACKING_URI.
        model: The trained model, an MLflow model folder.
        metrics: Metrics on the validation split; gates evaluate on other rows.
        report: Data, recipe, learning curves and feature importance.
    """
    from math import isfinite
    from pathlib import Path

    from gauntlet.data.contract import Contract
    from gauntlet.data.snapshot import Snapshot
    from gauntlet.reports.views.training import write_report
    from gauntlet.settings import parse
    from gauntlet.training.publish import publish
    from gauntlet.training.recipe import Recipe
    from gauntlet.training.tracking import open_experiment, tracking_uri
    from gauntlet.training.trainer import train

    settings = parse(Recipe, recipe, field="recipe")
    data, contract = Snapshot.open(Path(snapshot.path)), Contract.read(Path(schema.path))
    mlflow_experiment = open_experiment(tracking_uri(), experiment)
    training = train(data, contract, settings, seed=seed, n_seeds=n_seeds, device=device)
    published = publish(training, Path(model.path), mlflow_experiment, schema=Path(schema.path))
    write_report(training, published, Path(report.path))
    model.metadata.update(published.scalars)
    for name, value in training.metrics.items():
        if isfinite(value):  # Kubeflow Pipelines stores finite numbers only
            metrics.log_metric(name, value)
