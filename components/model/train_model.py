"""Component: a model from a snapshot and its schema."""

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
    """Train a scikit-learn pipeline around XGBoost from the schema, and record the run in MLflow.

    Args:
        snapshot: The data; learns from split train, stops early on split validation.
        schema: What the columns are; the model learns from those it knows.
        recipe: How to train: {"task", "parameters": {"max_depth", "n_estimators", "learning_rate", ...},
            "early_stopping_rounds", "metric", "features": {"include", "exclude"}, "monotone", "trainer", ...}.
        seed: The model's seed. The same seed on the same data gives the same model, byte for byte.
        n_seeds: How many models to train that differ by seed alone, to measure what chance does to the metrics.
        device: auto (a CUDA card where there is one), cuda (its absence is an error) or cpu.
        experiment: The MLflow experiment that keeps the run; MLFLOW_TRACKING_URI says where.
        model: The trained model, an MLflow model folder.
        metrics: Metrics on the validation split. Gates measure on rows that training never saw.
        report: What was trained on what, how learning went, and what the model looks at.
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
    known = open_experiment(tracking_uri(), experiment)
    training = train(data, contract, settings, seed=seed, n_seeds=n_seeds, device=device)
    published = publish(training, Path(model.path), known, schema=Path(schema.path))
    write_report(training, published, Path(report.path))
    model.metadata.update(published.scalars)
    for name, value in training.metrics.items():
        if isfinite(value):  # Kubeflow Pipelines keeps no other number
            metrics.log_metric(name, value)
