"""The data tasks of training and of integration: pin, copy and describe every input, infer a schema, check both."""

from dataclasses import dataclass
from typing import Any

from components.data.check_integrity import check_integrity
from components.data.compute_statistics import compute_statistics
from components.data.import_snapshot import import_snapshot
from components.data.infer_schema import infer_schema
from components.data.resolve_source import resolve_source
from components.data.validate_schema import validate_schema
from components.delivery.fetch_champion import fetch_champion


@dataclass(frozen=True)
class DataTasks:
    """Tasks (or outputs of tasks) that later ones read.

    Attributes:
        snapshot: the rows to learn from.
        statistics: their statistics.
        serving: those of logged serving requests, as the argument of a component: empty without such requests.
        schema: the curated schema, or the inferred one.
        past: raw rows of earlier spans, and what the feature store keeps of them, as arguments likewise.
        suite: the team's behavior file, pinned, as an argument likewise.
        champion: the task that fetches the champion.
        schema_check: the schema gate.
        integrity_check: the integrity gate.
    """

    snapshot: Any
    statistics: Any
    serving: dict[str, Any]
    schema: Any
    past: dict[str, Any]
    suite: dict[str, Any]
    champion: Any
    schema_check: Any
    integrity_check: Any


def data_tasks(
    configuration: Any,
    *,
    data: Any,
    roles: Any,
    model_name: Any,
    reader: Any,
    split: Any,
    serving_data: Any,
    reference_tables: Any,
    history: Any,
    stored_features: Any,
    behavior_suite: Any,
    curated_schema: Any,
    schema_inference: Any,
    schema_policy: Any,
    integrity_policy: Any,
    rows: Any = None,
) -> DataTasks:
    """Wire the data tasks into the pipeline that is being traced.

    Args:
        configuration: the task that checks every setting; nothing is read before it has passed.
        rows: sample about this many rows of the data and of the history; all when ``None``.

    The other arguments are the pipelines' parameters of the same names. What is known to be empty when the pipeline is
    compiled gets no tasks.
    """
    sample = {} if rows is None else {"most_rows": rows}

    def pinned(sources: Any, parameter: str, name: str) -> Any:
        task = resolve_source(sources=sources, parameter=parameter).after(configuration)
        return task.set_display_name(name).output

    source = resolve_source(sources=data, parameter="data").after(configuration)
    snapshot = import_snapshot(pinned=source.output, roles=roles, reader=reader, split=split, **sample)
    statistics = compute_statistics(snapshot=snapshot.outputs["snapshot"])

    serving = {}
    if serving_data:
        serving_snapshot = import_snapshot(
            pinned=pinned(serving_data, "serving_data", "resolve-serving-source"),
            roles=roles,
            reader=reader,
            purpose="serving",
        ).set_display_name("import-serving-snapshot")
        described = compute_statistics(snapshot=serving_snapshot.outputs["snapshot"])
        serving["serving"] = described.set_display_name("compute-serving-statistics").outputs["statistics"]
    champion = fetch_champion(model_name=model_name).after(configuration)
    tables, suite, curated = {}, {}, {}
    if reference_tables:
        tables["tables"] = pinned(reference_tables, "reference_tables", "resolve-reference-tables")
    if behavior_suite:
        suite["suite"] = pinned(behavior_suite, "behavior_suite", "resolve-behavior-suite")

    # What was recorded before: raw rows span by span, and the features that were stored of them.
    past = {}
    if history:
        rows_before = pinned(history, "history", "resolve-history")
        imported = import_snapshot(pinned=rows_before, roles=roles, reader=reader, purpose="history", **sample)
        past["history"] = imported.set_display_name("import-history").outputs["snapshot"]
    if stored_features:
        features = pinned(stored_features, "stored_features", "resolve-stored-features")
        imported = import_snapshot(pinned=features, roles=roles, purpose="history")
        past["stored"] = imported.set_display_name("import-stored-features").outputs["snapshot"]

    if curated_schema:
        curated["curated"] = pinned(curated_schema, "curated_schema", "resolve-curated-schema")
    schema = infer_schema(statistics=statistics.outputs["statistics"], policy=schema_inference, **curated)
    schema_check = validate_schema(
        statistics=statistics.outputs["statistics"], schema=schema.outputs["schema"], policy=schema_policy, **serving
    )
    integrity_check = check_integrity(snapshot=snapshot.outputs["snapshot"], policy=integrity_policy, **tables)
    return DataTasks(
        snapshot=snapshot.outputs["snapshot"],
        statistics=statistics.outputs["statistics"],
        serving=serving,
        schema=schema.outputs["schema"],
        past=past,
        suite=suite,
        champion=champion,
        schema_check=schema_check,
        integrity_check=integrity_check,
    )
