"""Registers a model that passed its gates as a new version."""

from kfp.dsl import Artifact, Dataset, Input, Model, Output

from gauntlet.orchestration.component import Caching, component


@component(image="delivery", caching=Caching.ACTING)
def register_model(
    model: Input[Model],
    snapshot: Input[Dataset],
    schema: Input[Artifact],
    statistics: Input[Artifact],
    verdicts: Input[Artifact],
    model_name: str,
    lineage: Output[Artifact],
    promote: str = "first",
    policy: dict = {},
    run: str = "",
) -> str:
    """Register a model once, with its lineage, statistics, schema and verdicts, and make it champion or challenger.

    A model registered before (the same content) keeps its version. A model that a gate refused is not registered.

    Args:
        model: The MLflow model folder to register.
        snapshot: The data it was trained on.
        schema: The schema of that data.
        statistics: The statistics of that data; they come back with the model when it is champion.
        verdicts: The gates' verdicts on the model and its data, as enforce_gates let them through.
        model_name: Name of the registered model; made if it does not exist.
        promote: Who becomes champion: first (only if there is none yet), always, never.
        policy: The enforcement policy of the gates before, where failed gates are only advisory; refused otherwise.
        run: Name of the pipeline run, kept with the version.
        lineage: The lineage document, as attached to the version.

    Returns:
        The version.
    """
    from pathlib import Path

    from gauntlet.data.snapshot import Snapshot
    from gauntlet.lineage.document import Subject, build
    from gauntlet.registry.aliases import parse_promote
    from gauntlet.registry.enforcement import EnforcementPolicy
    from gauntlet.registry.mlflow_store import open_store
    from gauntlet.registry.registration import Submission, register
    from gauntlet.settings import parse
    from gauntlet.verdict import read_verdicts

    gates = read_verdicts(Path(verdicts.path))
    artifacts = {
        "model": model,
        "snapshot": snapshot,
        "schema": schema,
        "statistics": statistics,
        "verdicts": verdicts,
    }
    document = build(
        [Subject.of(name, Path(artifact.path), artifact.metadata) for name, artifact in artifacts.items()],
        model_name=model_name,
        verdicts=gates,
        sources=Snapshot.open(Path(snapshot.path)).sources,
        run=run,
    )
    paths = {name: Path(artifacts[name].path) for name in ("model", "schema", "statistics")}
    submission = Submission(document=document, verdicts=gates, **paths)
    enforcement = parse(EnforcementPolicy, policy, field="policy")
    store = open_store()
    registered = register(store, submission, parse_promote(promote), enforcement)
    document.write(Path(lineage.path))
    lineage.metadata.update(registered.facts, registry=store.place)
    return str(registered.version.number)
