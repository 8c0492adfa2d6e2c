"""A model that passed its gates becomes a version of a registered model."""

from kfp.dsl import Artifact, Dataset, Input, Model, Output

from gauntlet.orchestration.component import Caching, component


@component(image="delivery", caching=Caching.ACTING)
def register_model(
    model: Input[Model],
    snapshot: Input[Dataset],
    schema: Input[Artifact],
    statistics: Input[Artifact],
    verdict1: Input[Artifact],
    model_name: str,
    lineage: Output[Artifact],
    verdict2: Input[Artifact] | None = None,
    verdict3: Input[Artifact] | None = None,
    verdict4: Input[Artifact] | None = None,
    verdict5: Input[Artifact] | None = None,
    verdict6: Input[Artifact] | None = None,
    verdict7: Input[Artifact] | None = None,
    verdict8: Input[Artifact] | None = None,
    verdict9: Input[Artifact] | None = None,
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
        verdict1: What a gate said of the model or its data.
        verdict2: Another verdict.
        verdict3: Another verdict.
        verdict4: Another verdict.
        verdict5: Another verdict.
        verdict6: Another verdict.
        verdict7: Another verdict.
        verdict8: Another verdict.
        verdict9: Another verdict.
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
    from gauntlet.registry.enforcement import EnforcementPolicy
    from gauntlet.registry.mlflow_store import open_store
    from gauntlet.registry.promotion import parse_promote
    from gauntlet.registry.registration import Submission, register
    from gauntlet.settings import parse
    from gauntlet.verdict import Verdict

    said = (verdict1, verdict2, verdict3, verdict4, verdict5, verdict6, verdict7, verdict8, verdict9)
    gates = {f"verdict{number}": gate for number, gate in enumerate(said, start=1) if gate is not None}
    verdicts = {name: Verdict.read(Path(gate.path)) for name, gate in gates.items()}
    artifacts = {"model": model, "snapshot": snapshot, "schema": schema, "statistics": statistics, **gates}
    document = build(
        [Subject.of(name, Path(artifact.path), artifact.metadata) for name, artifact in artifacts.items()],
        model_name=model_name,
        verdicts=verdicts,
        sources=Snapshot.open(Path(snapshot.path)).sources,
        run=run,
    )
    paths = {name: Path(artifacts[name].path) for name in ("model", "schema", "statistics")}
    submission = Submission(document=document, verdicts=tuple(verdicts.values()), **paths)
    enforcement = parse(EnforcementPolicy, policy, field="policy")
    registered = register(open_store(), submission, parse_promote(promote), enforcement)
    document.write(Path(lineage.path))
    return str(registered.version.number)
